import { describe, expect, it } from "vitest";
import type { ChartLook, Series } from "./options";
import { boxText, optionsOf, toneOf } from "./options";

const LOOK: ChartLook = {
  kind: "line",
  stacked: false,
  days: false,
  dark: false,
  format: (value) => `${value} ms`,
  time: (at) => `t${at}`,
};
const SERIES: Series = {
  name: "<b>p50</b>",
  tone: "blue",
  points: [
    [10, 1],
    [40, null],
  ],
};

describe("the style of charts", () => {
  it("takes Unix seconds and leaves gaps where nothing was measured", () => {
    const { series } = optionsOf([SERIES], LOOK) as { series: { data: unknown; connectNulls: boolean }[] };
    expect(series[0]).toMatchObject({
      data: [
        [10_000, 1],
        [40_000, null],
      ],
      connectNulls: false,
    });
  });

  it("draws the box as text, whatever a name holds", () => {
    const { tooltip } = optionsOf([SERIES], LOOK) as { tooltip: { renderMode: string } };
    expect(tooltip.renderMode).toBe("richText");
    const box = boxText(
      [
        { seriesName: "<b>p50</b>", value: [10_000, 1] },
        { seriesName: "p95", value: [10_000, null] },
      ],
      LOOK,
    );
    expect(box).toBe("t10\n<b>p50</b>  1 ms\np95  –");
    expect(boxText([], LOOK)).toBe("");
  });

  it("has colours for both schemes", () => {
    expect(toneOf("red", true)).not.toBe(toneOf("red", false));
    const { series } = optionsOf([SERIES], { ...LOOK, kind: "bars", stacked: true }) as {
      series: { type: string; stack: string }[];
    };
    expect(series[0]).toMatchObject({ type: "bar", stack: "all" });
  });
});
