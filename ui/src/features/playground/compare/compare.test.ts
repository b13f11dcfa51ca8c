import { describe, expect, it } from "vitest";
import type { Stats } from "../turns";
import { marked } from "./diff";
import { cells } from "./figures";

const text = (pieces: ReturnType<typeof marked>): string =>
  (pieces ?? []).map((piece) => (piece.same ? piece.text : `[${piece.text}]`)).join("");

describe("marked", () => {
  it.each([
    ["a red circle on white", "a blue circle on white", "a [red ]circle on white"],
    ["a red circle", "a red circle", "a red circle"],
    ["two big red circles", "red circles", "[two big ]red circles"],
    ["红色的圆形", "蓝色的圆形", "[红]色的圆形"],
    ["", "anything", ""],
    ["all new", "", "[all new]"],
  ])("%j against %j", (own, base, wanted) => {
    expect(text(marked(own, base))).toBe(wanted);
  });

  it("leaves out no letter", () => {
    const own = "The  cat\n\nsat on | a | mat. ";
    expect((marked(own, "A cat sat") ?? []).map((piece) => piece.text).join("")).toBe(own);
  });

  it("gives up on books", () => {
    expect(marked("word ".repeat(5000), "other ".repeat(5000))).toBeNull();
  });
});

describe("cells", () => {
  const stats = (ttftMs: number | null, tokensPerSecond: number): Stats => ({
    ttftMs,
    tokensPerSecond,
    totalMs: 1000,
    promptTokens: 5,
    completionTokens: 6,
  });

  it("finds the best and how far the others are", () => {
    expect(cells("ttftMs", [stats(100, 1), stats(150, 1), null])).toEqual([
      { value: 100, best: true, apart: null },
      { value: 150, best: false, apart: 0.5 },
      { value: null, best: false, apart: null },
    ]);
    expect(cells("tokensPerSecond", [stats(1, 50), stats(1, 100)])).toMatchObject([{ apart: -0.5 }, { best: true }]);
  });

  it("calls nobody best who is alone, and no number of tokens better", () => {
    expect(cells("ttftMs", [stats(100, 1), stats(null, 1)])).toMatchObject([{ best: false }, { best: false }]);
    expect(cells("promptTokens", [stats(1, 1), stats(1, 1)])).toMatchObject([{ best: false }, { best: false }]);
  });
});
