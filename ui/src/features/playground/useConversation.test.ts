import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { AssistantTurn } from "./chat";
import type { Question } from "./useConversation";
import { useConversation } from "./useConversation";

const QUESTION: Question = {
  model: "m",
  text: "What is this?",
  pictures: [],
  sampling: { system: "", temperature: 0, topP: 1, maxTokens: 8 },
  memory: true,
};

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
    await act(() => result.current.ask(QUESTION));
    expect(last(result.current.turns)).toMatchObject({ text: "a red circle", state: "done", failure: null });
    expect(result.current.busy).toBe(false);
  });

  it("sends earlier turns along only when asked to", async () => {
    const { bodies } = engine([word("yes"), "[DONE]"]);
    const { result } = renderHook(useConversation);
    await act(() => result.current.ask(QUESTION));
    await act(() => result.current.ask(QUESTION));
    await act(() => result.current.ask({ ...QUESTION, memory: false }));
    expect(bodies.map((body) => body.messages.length)).toEqual([1, 3, 1]);
  });

  it("stops and keeps what came", async () => {
    engine([word("a red")], true);
    const { result } = renderHook(useConversation);
    act(() => {
      void result.current.ask(QUESTION);
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
    await act(() => result.current.ask(QUESTION));
    expect(last(result.current.turns)).toMatchObject({ state: "failed", failure: { code: "engine_failed" } });
    act(() => {
      result.current.retry(QUESTION);
    });
    await waitFor(() => {
      expect(result.current.busy).toBe(false);
    });
    expect(bodies).toHaveLength(2);
    expect(result.current.turns).toHaveLength(2);
  });
});
