import { afterEach, describe, expect, it, vi } from "vitest";
import { Meter } from "./meter";
import { buildRequest } from "./request";
import { SAMPLING } from "./sampling";
import type { ChatDelta } from "./stream";
import { parseDelta, readFailure, streamChat } from "./stream";

function answer(lines: string[], init: ResponseInit = {}): void {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const line of lines) controller.enqueue(new TextEncoder().encode(line));
      controller.close();
    },
  });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));
}

async function collect(): Promise<{ text: string; failure: unknown }> {
  let text = "";
  const request = buildRequest("m", [], SAMPLING);
  const failure = await streamChat(request, new AbortController().signal, (delta) => (text += delta.text));
  return { text, failure };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("streamChat", () => {
  it("joins a stream cut anywhere", async () => {
    answer([
      'data: {"choices":[{"delta":{"content":"a red ',
      'circle"}}]}\n',
      '\ndata: {"choices":[],"usage":null}\n\ndata: [DONE]\n\n',
    ]);
    expect(await collect()).toEqual({ text: "a red circle", failure: null });
  });

  it("says so when the stream ends without its end mark", async () => {
    answer(['data: {"choices":[{"delta":{"content":"a"}}]}\n\n'], { headers: { "x-request-id": "r1" } });
    const { text, failure } = await collect();
    expect(text).toBe("a");
    expect(failure).toMatchObject({ code: "stream_broken", requestId: "r1" });
  });

  it("hands on an error inside the stream", async () => {
    answer(['data: {"error":{"message":"The engine died.","code":"engine_died"}}\n\n']);
    expect((await collect()).failure).toMatchObject({ code: "engine_died", message: "The engine died." });
  });

  it("reads a refusal", async () => {
    answer(['{"error":{"message":"Loading","code":"model_not_ready"}}'], { status: 503 });
    expect((await collect()).failure).toMatchObject({ status: 503, code: "model_not_ready", message: "Loading" });
  });
});

describe("readFailure", () => {
  it("takes any body", async () => {
    expect(await readFailure(new Response("<h1>Bad gateway</h1>", { status: 502 }))).toMatchObject({
      status: 502,
      code: "error",
      message: "<h1>Bad gateway</h1>",
    });
    const problem = new Response('{"code":"csrf_failed","message":"No."}', { status: 403 });
    expect(await readFailure(problem)).toMatchObject({ code: "csrf_failed", message: "No." });
  });
});

describe("Meter", () => {
  const delta = (text: string, completion?: number): ChatDelta => ({
    text,
    reasoning: "",
    calls: [],
    finishReason: null,
    usage: completion === undefined ? null : { prompt: 20, completion },
    speed: null,
    failure: null,
  });

  it("counts from the first token", () => {
    const meter = new Meter(1000);
    meter.add(delta(""), 1100);
    meter.add(delta("a"), 1250);
    meter.add(delta("b"), 1450);
    meter.add(delta("", 5), 1500);
    const wanted = { ttftMs: 250, totalMs: 600, tokensPerSecond: 20, promptTokens: 20, completionTokens: 5 };
    expect(meter.stats(1600)).toEqual(wanted);
  });

  it("takes a thought for a first token", () => {
    const meter = new Meter(0);
    meter.add({ ...delta(""), reasoning: "Hm" }, 30);
    expect(meter.stats(40).ttftMs).toBe(30);
  });

  it("invents nothing", () => {
    const meter = new Meter(0);
    meter.add(delta("a", 1), 10);
    expect(meter.stats(20).tokensPerSecond).toBeNull();
    const atOnce = new Meter(0);
    atOnce.add(delta("a"), 10);
    atOnce.add(delta("b", 13), 10.2);
    expect(atOnce.stats(20).tokensPerSecond).toBeNull();
    const nothing = { ttftMs: null, totalMs: 5, tokensPerSecond: null, promptTokens: null, completionTokens: null };
    expect(new Meter(0).stats(5)).toEqual(nothing);
  });
});

describe("parseDelta", () => {
  it("takes the engine's own speed", () => {
    const delta = parseDelta(
      '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4},"timings":{"predicted_per_second":99.5}}',
    );
    expect(delta).toMatchObject({ speed: 99.5, usage: { prompt: 3, completion: 4 }, text: "" });
    const meter = new Meter(0);
    if (delta) meter.add(delta, 1);
    expect(meter.stats(1).tokensPerSecond).toBe(99.5);
  });

  it("takes thoughts by both of their names", () => {
    for (const name of ["reasoning_content", "reasoning"])
      expect(parseDelta(JSON.stringify({ choices: [{ delta: { [name]: "Hm" } }] }))?.reasoning).toBe("Hm");
  });

  it("takes pieces of calls", () => {
    const calls = [{ index: 1, id: "c", function: { name: "f", arguments: '{"a' } }, { function: { arguments: "b" } }];
    expect(parseDelta(JSON.stringify({ choices: [{ delta: { tool_calls: calls } }] }))?.calls).toEqual([
      { index: 1, id: "c", name: "f", arguments: '{"a' },
      { index: 1, id: "", name: "", arguments: "b" },
    ]);
  });

  it("knows the end mark", () => {
    expect(parseDelta("[DONE]")).toBeNull();
  });
});
