import { useCallback, useRef, useState } from "react";
import type { AssistantTurn, ChatDelta, Failure, Picture, Sampling, Turn, UserTurn } from "./chat";
import { buildRequest, streamChat } from "./chat";
import { Meter } from "./meter";

export interface Question {
  model: string;
  text: string;
  pictures: Picture[];
  sampling: Sampling;
  /** Whether earlier turns are sent along. */
  memory: boolean;
}

const WAITING: AssistantTurn = {
  role: "assistant",
  text: "",
  state: "waiting",
  finishReason: null,
  stats: null,
  failure: null,
};

const withLast = (turns: Turn[], change: (turn: AssistantTurn) => AssistantTurn): Turn[] => {
  const last = turns.at(-1);
  return last?.role === "assistant" ? [...turns.slice(0, -1), change(last)] : turns;
};

function grow(turn: AssistantTurn, delta: ChatDelta): AssistantTurn {
  const text = turn.text + delta.text;
  return {
    ...turn,
    text,
    state: text ? "streaming" : turn.state,
    finishReason: delta.finishReason ?? turn.finishReason,
  };
}

function end(turn: AssistantTurn, meter: Meter, failure: Failure | null, stopped: boolean): AssistantTurn {
  const state = stopped ? "stopped" : failure ? "failed" : "done";
  return { ...turn, state, failure: stopped ? null : failure, stats: meter.stats() };
}

const offline: Failure = { status: 0, code: "offline", message: "", requestId: null };

/** The turns of a conversation and the one answer that may be under way. */
export function useConversation() {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);

  const run = useCallback(async (before: Turn[], question: Question) => {
    const controller = new AbortController();
    running.current = controller;
    const asked: UserTurn = { role: "user", text: question.text, pictures: question.pictures };
    setTurns([...before, asked, WAITING]);
    setBusy(true);
    const meter = new Meter(performance.now());
    const request = buildRequest(question.model, question.memory ? [...before, asked] : [asked], question.sampling);
    const failure = await streamChat(request, controller.signal, (delta) => {
      meter.add(delta, performance.now());
      // Asked here, not in the update: React runs that later, when a short answer may be over already.
      if (running.current === controller) setTurns((old) => withLast(old, (turn) => grow(turn, delta)));
    }).catch(() => offline);
    if (running.current !== controller) return; // Cleared meanwhile.
    running.current = null;
    setTurns((old) => withLast(old, (turn) => end(turn, meter, failure, controller.signal.aborted)));
    setBusy(false);
  }, []);

  const stop = useCallback(() => running.current?.abort(), []);

  const clear = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setTurns([]);
    setBusy(false);
  }, []);

  return { turns, busy, ask: (question: Question) => run(turns, question), retry, stop, clear };

  /** Asks the last question again, with today's model and parameters. */
  function retry(question: Omit<Question, "text" | "pictures">): void {
    const last = turns.findLastIndex((turn) => turn.role === "user");
    const asked = turns[last];
    if (asked?.role === "user")
      void run(turns.slice(0, last), { ...question, text: asked.text, pictures: asked.pictures });
  }
}
