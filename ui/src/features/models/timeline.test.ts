import { describe, expect, it } from "vitest";
import { steps, totalSeconds } from "./timeline";

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
