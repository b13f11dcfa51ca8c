import { useCallback, useRef, useState } from "react";
import { stream } from "./answer";
import { buildRequest } from "./request";
import type { Sampling } from "./sampling";
import type { AssistantTurn, Picture, ToolTurn, Turn } from "./turns";
import { newId, waiting } from "./turns";

/** Who is asked, and how. */
export interface Asking {
  model: string;
  sampling: Sampling;
}

const replaced = (turns: readonly Turn[], turn: Turn): Turn[] => turns.map((old) => (old.id === turn.id ? turn : old));

/** The turns of a conversation and the one answer that may be under way. */
export function useConversation() {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);

  /** Asks for the answer to `before`, which becomes the conversation. */
  const run = useCallback(async (before: readonly Turn[], { model, sampling }: Asking) => {
    const controller = new AbortController();
    running.current?.abort();
    running.current = controller;
    const answer = waiting(model);
    setTurns([...before, answer]);
    setBusy(true);
    await stream(buildRequest(model, before, sampling), answer, controller.signal, (turn: AssistantTurn) => {
      // Asked here, not in the update: React runs that later, when a short answer may be over already.
      if (running.current === controller) setTurns((old) => replaced(old, turn));
    });
    if (running.current !== controller) return; // Something else was begun meanwhile.
    running.current = null;
    setBusy(false);
  }, []);

  const stop = useCallback(() => running.current?.abort(), []);

  /** Puts other turns in place of these; an answer under way is given up. */
  const replace = useCallback((next: Turn[]) => {
    running.current?.abort();
    running.current = null;
    setTurns(next);
    setBusy(false);
  }, []);

  const upTo = (id: string): Turn[] =>
    turns.slice(
      0,
      Math.max(
        0,
        turns.findIndex((turn) => turn.id === id),
      ),
    );

  return {
    turns,
    busy,
    stop,
    replace,
    ask: (text: string, pictures: Picture[], asking: Asking) =>
      run([...turns, { id: newId(), role: "user", text, pictures }], asking),
    /** Puts an answer of the person's own words into the conversation; nobody is asked. */
    say: (text: string) => {
      setTurns([...turns, { ...waiting(null), text, state: "done" }]);
    },
    /** Asks for another answer in place of this one. */
    regenerate: (id: string, asking: Asking) => run(upTo(id), asking),
    /** Changes a question and asks it again, without what followed; changes an answer where it stands. */
    edit: (id: string, text: string, asking: Asking): void => {
      const turn = turns.find((candidate) => candidate.id === id);
      if (turn?.role === "user") void run([...upTo(id), { ...turn, id: newId(), text }], asking);
      else if (turn) setTurns(replaced(turns, { ...turn, text }));
    },
    /** Takes a turn and all that followed out. */
    cut: (id: string): void => {
      replace(upTo(id));
    },
    answerTools: (answers: readonly Omit<ToolTurn, "id" | "role">[], asking: Asking) =>
      run([...turns, ...answers.map((answer): ToolTurn => ({ ...answer, id: newId(), role: "tool" }))], asking),
  };
}

export type Conversation = ReturnType<typeof useConversation>;
