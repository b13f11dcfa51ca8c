import { describe, expect, it } from "vitest";
import { answered, asked, makePicture } from "../fixtures";
import { SAMPLING } from "../sampling";
import { OFFLINE } from "../answer";
import { surplus } from "./bounds";
import type { Head, Saved } from "./format";
import { exported, headOf, imported, readSaved, titleOf } from "./format";

const STATS = { ttftMs: 10, totalMs: 20, tokensPerSecond: null, promptTokens: 3, completionTokens: 4 };
const SAVED: Saved = {
  id: "c1",
  title: "What is this?",
  model: "m",
  at: 1_790_000_000_000,
  sampling: { ...SAMPLING, seed: 7, stop: ["x"], system: "Be short." },
  turns: [
    asked("What is this?", makePicture(), makePicture("2", "https://example.com/cat.png")),
    answered("A cat.", { reasoning: "Hm", calls: [{ id: "a", name: "f", arguments: "{}" }], stats: STATS }),
    { id: "t", role: "tool", call: "a", name: "f", text: "42" },
  ],
};

describe("a conversation", () => {
  it("comes back from a file as it was", () => {
    expect(imported(exported([SAVED]))).toEqual([SAVED]);
    expect(readSaved(structuredClone(SAVED))).toEqual(SAVED);
  });

  it("keeps no failure and nothing that was under way", () => {
    const turns = [
      asked("a"),
      answered("b", { state: "failed", failure: OFFLINE }),
      answered("", { state: "waiting" }),
    ];
    const back = readSaved({ ...SAVED, turns });
    expect(back?.turns.slice(1)).toMatchObject([
      { state: "stopped", failure: null },
      { state: "stopped", text: "" },
    ]);
  });

  it("has parameters of the right kinds only", () => {
    const sampling = { temperature: "hot", topP: 0.5, stop: [1], seed: "x", strange: true };
    expect(readSaved({ ...SAVED, sampling })?.sampling).toEqual({ ...SAMPLING, topP: 0.5 });
  });

  it("is titled by its first question", () => {
    expect(titleOf([asked(" "), asked("  What\n is   this? ".repeat(20))])).toMatch(/^What is this\? What/);
    expect(titleOf(SAVED.turns).length).toBeLessThanOrEqual(80);
    expect(titleOf([])).toBe("");
    expect(headOf(SAVED)).toMatchObject({ id: "c1", title: "What is this?" });
  });
});

describe("a file", () => {
  it.each([
    "",
    "[]",
    '{"format":"other"}',
    exported([SAVED]).replace('"version":1', '"version":2'),
    exported([SAVED]).replace('"role":"tool"', '"role":"system"'),
    exported([SAVED]).replace("data:image/png", "data:text/html"),
    exported([SAVED]).replace("https://example.com/cat.png", "javascript:alert(1)"),
    exported([SAVED]).replace('"width":10', '"width":"10"'),
  ])("that we did not write is refused whole (%#)", (file) => {
    expect(imported(file)).toBeNull();
  });
});

describe("surplus", () => {
  const head = (id: string, at: number, bytes = 1): Head => ({ id, title: "", model: "", at, bytes });
  const ids = (heads: readonly Head[], count: number, bytes: number) =>
    surplus(heads, count, bytes).map(({ id }) => id);

  it("names the oldest beyond the bounds", () => {
    const heads = [head("old", 1), head("new", 3), head("middle", 2)];
    expect(ids(heads, 3, 100)).toEqual([]);
    expect(ids(heads, 2, 100)).toEqual(["old"]);
    expect(ids(heads, 9, 2)).toEqual(["old"]);
  });

  it("leaves the newest, however large", () => {
    expect(ids([head("new", 2, 1000), head("old", 1)], 9, 10)).toEqual(["old"]);
  });
});
