import { describe, expect, it } from "vitest";
import { answered, asked, makePicture } from "./fixtures";
import { buildRequest } from "./request";
import { SAMPLING } from "./sampling";
import type { Turn } from "./turns";

const call = { id: "c1", name: "weather", arguments: '{"city":"Paris"}' };

describe("buildRequest", () => {
  it("puts pictures before the text and leaves out empty answers and system prompts", () => {
    const turns: Turn[] = [asked("描述这张图片", makePicture()), answered("", { state: "failed" }), asked("again")];
    const request = buildRequest("tiny-vlm", turns, { ...SAMPLING, system: " " });
    expect(request.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
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

  it("sends calls of tools and their answers, also without the memory of earlier questions", () => {
    const tool: Turn = { id: "t", role: "tool", call: "c1", name: "weather", text: "sunny" };
    const turns: Turn[] = [asked("old"), answered("yes"), asked("And Paris?"), answered("", { calls: [call] }), tool];
    const request = buildRequest("m", turns, { ...SAMPLING, memory: false });
    expect(request.messages).toEqual([
      { role: "user", content: "And Paris?" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: call.arguments } }],
      },
      { role: "tool", content: "sunny", tool_call_id: "c1" },
    ]);
  });

  it("leaves out what is at its default, and sends what is not", () => {
    expect(Object.keys(buildRequest("m", [], SAMPLING)).sort()).toEqual(
      ["max_tokens", "messages", "model", "stream", "stream_options", "temperature", "top_p"].sort(),
    );
    const sampling = {
      ...SAMPLING,
      presencePenalty: 1,
      frequencyPenalty: -1,
      seed: 0,
      stop: ["\n"],
      specialTokens: true,
      schema: '{"type":"object"}',
      tools: '{"name":"weather"}',
    };
    expect(buildRequest("m", [], sampling)).toMatchObject({
      presence_penalty: 1,
      frequency_penalty: -1,
      seed: 0,
      stop: ["\n"],
      skip_special_tokens: false,
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", schema: { type: "object" }, strict: true },
      },
      tools: [{ type: "function", function: { name: "weather" } }],
    });
  });
});
