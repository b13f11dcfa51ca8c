import { describe, expect, it } from "vitest";
import { formatRate, formatWait, movingDownload, shareOf } from "./download";

describe("shareOf", () => {
  it.each([
    [{ done: 1, total: 4 }, 0.25],
    [{ done: 0, total: 0 }, 0],
    [{ done: 9, total: 4 }, 1],
  ])("%j → %d", (progress, share) => {
    expect(shareOf(progress)).toBe(share);
  });
});

describe("movingDownload", () => {
  it("is the one that is furthest of those that still download", () => {
    const replica = (phase: string, done: number) => ({ phase, download: { done, total: 10 } });
    expect(movingDownload([replica("downloading", 3), replica("downloading", 7), replica("failed", 9)])?.done).toBe(7);
    expect(movingDownload([{ phase: "downloading", download: null }, replica("ready", 10)])).toBeNull();
  });
});

describe("the words of a download", () => {
  it.each([
    [0.2, "1 s"],
    [11.2, "12 s"],
    [59.5, "1 min 0 s"],
    [125, "2 min 5 s"],
  ])("%d s → %s", (seconds, text) => {
    expect(formatWait(seconds)).toBe(text);
  });

  it("has a rate with its unit", () => {
    expect(formatRate(50 * 1024 ** 2)).toBe("50.0 MiB/s");
  });
});
