import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChatDelta, Picture, Sampling, Turn } from "./chat";
import { buildRequest, parseDelta, readFailure, streamChat } from "./chat";
import { Meter } from "./meter";

const SAMPLING: Sampling = { system: " ", temperature: 0, topP: 1, maxTokens: 64 };
const PICTURE: Picture = {
  id: "1",
  name: "a.png",
  dataUri: "data:image/png;base64,AAAA",
  width: 1,
  height: 1,
  original: null,
  padded: false,
};

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

describe("buildRequest", () => {
  it("puts pictures before the text and leaves out empty answers and system prompts", () => {
    const turns: Turn[] = [
      { role: "user", text: "描述这张图片", pictures: [PICTURE] },
      { role: "assistant", text: "", state: "failed", finishReason: null, stats: null, failure: null },
      { role: "user", text: "again", pictures: [] },
    ];
    const request = buildRequest("tiny-vlm", turns, SAMPLING);
    expect(request.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: PICTURE.dataUri } },
          { type: "text", text: "描述这张图片" },
        ],
      },
      { role: "user", content: "again" },
    ]);
    expect(request.stream_options.include_usage).toBe(true);
  });

  it("sends a system prompt first", () => {
    const request = buildRequest("m", [], { ...SAMPLING, system: " Be short. " });
    expect(request.messages).toEqual([{ role: "system", content: "Be short." }]);
  });
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
    expect(meter.stats()).toEqual({ ttftMs: 250, tokensPerSecond: 20, promptTokens: 20, completionTokens: 5 });
  });

  it("invents nothing", () => {
    const meter = new Meter(0);
    meter.add(delta("a", 1), 10);
    expect(meter.stats().tokensPerSecond).toBeNull();
    const atOnce = new Meter(0);
    atOnce.add(delta("a"), 10);
    atOnce.add(delta("b", 13), 10.2);
    expect(atOnce.stats().tokensPerSecond).toBeNull();
    expect(new Meter(0).stats()).toEqual({
      ttftMs: null,
      tokensPerSecond: null,
      promptTokens: null,
      completionTokens: null,
    });
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
    expect(meter.stats().tokensPerSecond).toBe(99.5);
  });

  it("knows the end mark", () => {
    expect(parseDelta("[DONE]")).toBeNull();
  });
});
