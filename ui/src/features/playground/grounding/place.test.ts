import { describe, expect, it } from "vitest";
import type { Sent } from "./place";
import { asJson, coordinates, placed } from "./place";
import type { Frame } from "./shapes";
import { box } from "./shapes";

/** 4000 × 2000 pixels, sent at a half, seen at a quarter. */
const HALF: Sent = {
  original: { width: 4000, height: 2000 },
  sent: { width: 2000, height: 1000 },
  inner: { x: 0, y: 0, width: 2000, height: 1000 },
  seen: { width: 1008, height: 504 },
};
const at = (x1: number, y1: number, x2: number, y2: number, frame: Frame, picture = HALF): string =>
  coordinates(placed(box(x1, y1, x2, y2, ""), frame, picture));

describe("placed", () => {
  it.each([
    [0.25, 0.5, 1, 1, "0-1"],
    [25, 50, 100, 100, "0-100"],
    [249.75, 499.5, 999, 999, "0-999"],
    [250, 500, 1000, 1000, "0-1000"],
    [256, 512, 1024, 1024, "0-1023"],
    [252, 252, 1008, 504, "pixels"],
  ] as const)("brings %d, %d, %d, %d of %s to the same pixels of the original", (x1, y1, x2, y2, frame) => {
    expect(at(x1, y1, x2, y2, frame)).toBe("1000, 1000, 4000, 2000");
  });

  it("counts pixels of what was sent where nobody knows what was seen", () => {
    expect(at(500, 250, 1000, 500, "pixels", { ...HALF, seen: null })).toBe("1000, 500, 2000, 1000");
  });

  it("takes the padding off", () => {
    const square: Sent = {
      original: { width: 400, height: 200 },
      sent: { width: 400, height: 400 },
      inner: { x: 0, y: 100, width: 400, height: 200 },
      seen: null,
    };
    expect(at(0, 250, 1000, 750, "0-1000", square)).toBe("0, 0, 400, 200");
    expect(at(0, 0, 500, 500, "0-1000", square)).toBe("0, 0, 200, 100");
  });

  it("never leaves the picture", () => {
    expect(at(-5, -5, 1200, 1200, "0-1000")).toBe("0, 0, 4000, 2000");
  });
});

describe("asJson", () => {
  it("tells the picture's size and whole pixels", () => {
    const shapes = [placed(box(100.4, 100, 200, 200, "cat"), "0-1000", HALF)];
    expect(JSON.parse(asJson(shapes, HALF.original))).toEqual({
      width: 4000,
      height: 2000,
      objects: [{ label: "cat", box: [402, 200, 800, 400] }],
    });
  });
});
