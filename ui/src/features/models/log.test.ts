import { describe, expect, it } from "vitest";
import type { LogChunk } from "@/api/generated/types.gen";
import { addChunk, emptyLog, matchesIn, MOST_BYTES, MOST_LINES, pieces, readFrom, shownLines, windowOf } from "./log";

const chunk = (change: Partial<LogChunk>): LogChunk => ({
  attempt: 1,
  offset: 0,
  next_offset: 0,
  size: 0,
  text: "",
  complete: false,
  attempts: [1],
  ...change,
});

describe("addChunk", () => {
  it("appends whole lines, without terminal codes", () => {
    const first = addChunk(emptyLog, chunk({ text: "\u001b[32mone\u001b[0m\r\ntw", next_offset: 16, size: 16 }));
    expect(first).toMatchObject({ lines: ["one"], rest: "tw" });
    expect(shownLines(first)).toEqual(["one", "tw"]);
    const second = addChunk(first, chunk({ offset: 16, text: "o\n", next_offset: 18, size: 18, complete: true }));
    expect(second).toMatchObject({ lines: ["one", "two"], rest: "", offset: 18, complete: true, skipped: 0 });
  });

  it("opens a long log at its end, with a whole line", () => {
    expect(readFrom(emptyLog)).toBe(-MOST_BYTES);
    const state = addChunk(emptyLog, chunk({ offset: 1000, text: "alf\nwhole\n", next_offset: 1010, size: 1010 }));
    expect(state).toMatchObject({ lines: ["whole"], offset: 1010, skipped: 1000 });
    expect(readFrom(state)).toBe(1010);
  });

  it("is not over while bytes are missing", () => {
    expect(addChunk(emptyLog, chunk({ text: "a", next_offset: 1, size: 2, complete: true })).complete).toBe(false);
  });

  it("keeps the last state of a bar of progress", () => {
    expect(addChunk(emptyLog, chunk({ text: "load: 1 %\rload: 99 %\rload: done\n" })).lines).toEqual(["load: done"]);
  });

  it("lets the oldest lines go", () => {
    const text = "x\n".repeat(MOST_LINES + 5);
    const state = addChunk(emptyLog, chunk({ text }));
    expect([state.lines.length, state.dropped]).toEqual([MOST_LINES, 5]);
  });
});

describe("what is looked for", () => {
  it("is found whatever its case, and marked", () => {
    expect(matchesIn(["CUDA error", "fine", "no cuda"], "Cuda")).toEqual([0, 2]);
    expect(matchesIn(["a"], "")).toEqual([]);
    expect(pieces("no cuda, CUDA", "cuda")).toEqual([
      { text: "no ", matches: false },
      { text: "cuda", matches: true },
      { text: ", ", matches: false },
      { text: "CUDA", matches: true },
    ]);
    expect(pieces("", "x")).toEqual([{ text: "", matches: false }]);
  });
});

describe("windowOf", () => {
  it("holds what is seen and little more, wherever one is", () => {
    for (const top of [0, 17, 900_000, 1_799_600]) {
      const { from, to } = windowOf(top, 400, 18, 100_000);
      expect(to - from).toBeLessThan(100);
      expect(from * 18).toBeLessThanOrEqual(top);
      expect(to * 18).toBeGreaterThanOrEqual(Math.min(top + 400, 1_800_000));
    }
    expect(windowOf(1e9, 400, 18, 10)).toEqual({ from: 10, to: 10 });
  });
});
