import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { SAMPLING } from "./sampling";
import type { AssistantTurn } from "./turns";
import type { Asking, Conversation } from "./useConversation";
import { useConversation } from "./useConversation";

const ASKING: Asking = { model: "m", sampling: SAMPLING };
const ask = (conversation: Conversation, asking = ASKING): Promise<void> =>
  conversation.ask("What is this?", [], asking);

/** Answers each request with the given lines; without the last one the stream stays open. Keeps what was asked. */
function engine(lines: string[], open = false): { bodies: { messages: unknown[] }[] } {
  const bodies: { messages: unknown[] }[] = [];
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    bodies.push(JSON.parse(init.body as string) as { messages: unknown[] });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const line of lines) controller.enqueue(new TextEncoder().encode(`data: ${line}\n\n`));
        if (!open) controller.close();
        init.signal?.addEventListener("abort", () => {
          controller.error(new DOMException("Aborted", "AbortError"));
        });
      },
    });
    return Promise.resolve(new Response(body));
  });
  return { bodies };
}

const word = (text: string): string => JSON.stringify({ choices: [{ delta: { content: text } }] });

function last(turns: readonly unknown[]): AssistantTurn {
  return turns.at(-1) as AssistantTurn;
}

describe("useConversation", () => {
  it("keeps every word of an answer that arrives at once", async () => {
    engine([word("a red "), word("circle"), "[DONE]"]);
    const { result } = renderHook(useConversation);
    await act(() => ask(result.current));
    expect(last(result.current.turns)).toMatchObject({ text: "a red circle", state: "done", failure: null });
    expect(result.current.busy).toBe(false);
  });

  it("sends earlier turns along only when asked to", async () => {
    const { bodies } = engine([word("yes"), "[DONE]"]);
    const { result } = renderHook(useConversation);
    await act(() => ask(result.current));
    await act(() => ask(result.current));
    await act(() => ask(result.current, { model: "m", sampling: { ...SAMPLING, memory: false } }));
    expect(bodies.map((body) => body.messages.length)).toEqual([1, 3, 1]);
  });

  it("stops and keeps what came", async () => {
    engine([word("a red")], true);
    const { result } = renderHook(useConversation);
    act(() => {
      void ask(result.current);
    });
    await waitFor(() => {
      expect(last(result.current.turns).text).toBe("a red");
    });
    act(() => result.current.stop());
    await waitFor(() => {
      expect(result.current.busy).toBe(false);
    });
    expect(last(result.current.turns)).toMatchObject({ text: "a red", state: "stopped", failure: null });
  });

  it("shows a failure and asks the same again", async () => {
    const { bodies } = engine(['{"error":{"message":"gone","code":"engine_failed"}}']);
    const { result } = renderHook(useConversation);
    await act(() => ask(result.current));
    expect(last(result.current.turns)).toMatchObject({ state: "failed", failure: { code: "engine_failed" } });
    await act(() => result.current.regenerate(last(result.current.turns).id, ASKING));
    expect(bodies).toHaveLength(2);
    expect(result.current.turns).toHaveLength(2);
  });

  it("asks a changed question without what followed, and changes an answer where it stands", async () => {
    const { bodies } = engine([word("yes"), "[DONE]"]);
    const { result } = renderHook(useConversation);
    await act(() => ask(result.current));
    await act(() => ask(result.current));
    const [first, answer] = result.current.turns;
    act(() => {
      result.current.edit(answer?.id ?? "", "No.", ASKING);
    });
    expect(result.current.turns).toHaveLength(4);
    expect(result.current.turns[1]).toMatchObject({ text: "No." });
    expect(bodies).toHaveLength(2);
    act(() => {
      result.current.edit(first?.id ?? "", "Changed?", ASKING);
    });
    await waitFor(() => {
      expect(result.current.busy).toBe(false);
    });
    expect(result.current.turns.map((turn) => turn.text)).toEqual(["Changed?", "yes"]);
    expect(bodies.at(-1)?.messages).toEqual([{ role: "user", content: "Changed?" }]);
  });

  it("takes a person's own words for an answer, and sends what tools answered", async () => {
    const { bodies } = engine([word("ok"), "[DONE]"]);
    const { result } = renderHook(useConversation);
    act(() => {
      result.current.say("I am a model.");
    });
    expect(result.current.turns).toMatchObject([{ role: "assistant", model: null, state: "done" }]);
    await act(() => result.current.answerTools([{ call: "c1", name: "f", text: "42" }], ASKING));
    expect(bodies[0]?.messages).toEqual([
      { role: "assistant", content: "I am a model." },
      { role: "tool", content: "42", tool_call_id: "c1" },
    ]);
    act(() => {
      result.current.cut(result.current.turns[1]?.id ?? "");
    });
    expect(result.current.turns).toHaveLength(1);
  });
});
