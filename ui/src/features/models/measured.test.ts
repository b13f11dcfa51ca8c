import { describe, expect, it } from "vitest";
import { barWidth, deviation, standing } from "./measured";

const figures = (measured: number, estimated: number | null, high: number | null = estimated) => ({
  measured,
  estimated,
  high,
});

describe("estimate against measured", () => {
  it.each([
    [figures(100, 100, 120), "within", "0.0 %"],
    [figures(115, 100, 120), "within", "+15.0 %"],
    [figures(90, 100, 120), "below", "-10.0 %"],
    [figures(130, 100, 120), "above", "+30.0 %"],
    [figures(130, null), "unknown", null],
    [figures(5, 0, 10), "within", null],
  ] as const)("says how a figure stands", (item, how, percent) => {
    expect(standing(item)).toBe(how);
    expect(deviation(item)).toBe(percent);
  });

  it("draws something even for the smallest figure", () => {
    expect(barWidth({ measured: 50 }, 100)).toBe(50);
    expect(barWidth({ measured: 0 }, 0)).toBe(1);
  });
});
