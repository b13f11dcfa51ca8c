import { describe, expect, it } from "vitest";
import { progressOf, steps, totalSeconds } from "./timeline";

describe("steps", () => {
  it("measures each stage from the one before, whatever the order", () => {
    const marks = [
      { stage: "ready", at: 13 },
      { stage: "preparing", at: 10 },
      { stage: "starting", at: 10.5 },
    ];
    expect(steps(marks)).toEqual([
      { stage: "preparing", seconds: null },
      { stage: "starting", seconds: 0.5 },
      { stage: "ready", seconds: 2.5 },
    ]);
    expect(totalSeconds(marks)).toBe(3);
  });

  it("has no total before there are two marks", () => {
    expect(totalSeconds([])).toBeNull();
    expect(totalSeconds([{ stage: "a", at: 1 }])).toBeNull();
  });
});

describe("progressOf", () => {
  const stage = { stage: "weights", seconds: 0, share: null, usual_seconds: null, seconds_left: null };

  it("believes the engine first, then earlier starts, and never says more than all", () => {
    expect(progressOf({ ...stage, share: 0.4, usual_seconds: 10 }, 9)).toBe(0.4);
    expect(progressOf({ ...stage, usual_seconds: 10 }, 5)).toBe(0.5);
    expect(progressOf({ ...stage, usual_seconds: 10 }, 30)).toBe(1);
    expect(progressOf(stage, 30)).toBeNull();
  });
});
