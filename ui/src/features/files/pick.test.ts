import { describe, expect, it } from "vitest";
import { matching, wordsOf } from "./pick";

describe("wordsOf", () => {
  it.each([
    [" qwen2 vl ", "qwen2 vl"],
    ["bartowski/Qwen2", "bartowski/Qwen2"],
    ["qw", ""],
    ["hf://Qwen", ""],
    ["/models/m.gguf", ""],
  ])("%j → %j", (text, words) => {
    expect(wordsOf(text)).toBe(words);
  });
});

describe("matching", () => {
  it("does not mind capitals", () => {
    expect(matching(["hf://Qwen/A", "hf://b/c"], "qwen")).toEqual(["hf://Qwen/A"]);
    expect(matching(["hf://Qwen/A"], "")).toEqual(["hf://Qwen/A"]);
  });
});
