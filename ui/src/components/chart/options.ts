import type { EChartsCoreOption } from "echarts/core";

export type Tone = "blue" | "teal" | "violet" | "orange" | "red" | "grey";

/** One line or one row of bars: `at` in Unix seconds, null where nothing was measured. */
export interface Series {
  name: string;
  tone: Tone;
  points: readonly (readonly [at: number, value: number | null])[];
}

export interface ChartLook {
  kind: "line" | "bars";
  stacked: boolean;
  /** Whether a point is a day. */
  days: boolean;
  dark: boolean;
  /** A value with its unit. */
  format: (value: number) => string;
  /** A moment on the axis and in the box under the pointer. */
  time: (at: number) => string;
  /** The largest value of the axis, where it is known: 100 for percent. */
  most?: number;
}

const TONES: Record<Tone, readonly [light: string, dark: string]> = {
  blue: ["#1c7ed6", "#4dabf7"],
  teal: ["#0a9b74", "#38d9a9"],
  violet: ["#6741d9", "#9775fa"],
  orange: ["#e8590c", "#ffa94d"],
  red: ["#e03131", "#ff8787"],
  grey: ["#868e96", "#adb5bd"],
};

export const toneOf = (tone: Tone, dark: boolean): string => TONES[tone][dark ? 1 : 0];

const ink = (dark: boolean) =>
  dark ? { text: "#c9c9c9", line: "#3b3b3b", box: "#1f1f1f" } : { text: "#495057", line: "#e3e6ea", box: "#ffffff" };

interface Pointed {
  seriesName: string;
  value: readonly [number, number | null];
}

/** What the box under the pointer says: plain text, drawn on the canvas, so nothing in it is ever markup. */
export function boxText(pointed: readonly Pointed[], look: Pick<ChartLook, "format" | "time">): string {
  const [first] = pointed;
  if (!first) return "";
  const lines = pointed.map(({ seriesName, value: [, value] }) => {
    return `${seriesName}  ${value === null ? "–" : look.format(value)}`;
  });
  return [look.time(first.value[0] / 1000), ...lines].join("\n");
}

function seriesOption(series: Series, look: ChartLook): Record<string, unknown> {
  const colour = toneOf(series.tone, look.dark);
  const line = {
    type: "line",
    showSymbol: false,
    connectNulls: false,
    lineStyle: { width: 2 },
    areaStyle: { opacity: look.stacked ? 0.35 : 0.1 },
  };
  const bars = { type: "bar", barMaxWidth: 28, barMinWidth: 2 };
  return {
    ...(look.kind === "line" ? line : bars),
    name: series.name,
    data: series.points.map(([at, value]) => [at * 1000, value]),
    itemStyle: { color: colour },
    ...(look.stacked ? { stack: "all" } : {}),
    animation: false,
    emphasis: { disabled: true },
  };
}

/** The one house style of all charts. */
export function optionsOf(series: readonly Series[], look: ChartLook): EChartsCoreOption {
  const { text, line, box } = ink(look.dark);
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 14, top: 10, bottom: 4, containLabel: true },
    xAxis: {
      type: "time",
      axisLabel: { color: text, fontSize: 11, hideOverlap: true, formatter: (at: number) => look.time(at / 1000) },
      ...(look.days ? { minInterval: 86_400_000 } : {}),
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      min: 0,
      ...(look.most === undefined ? {} : { max: look.most }),
      splitNumber: 3,
      axisLabel: { color: text, fontSize: 11, formatter: look.format },
      splitLine: { lineStyle: { color: line } },
    },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: box,
      borderColor: line,
      textStyle: { color: text, fontSize: 12 },
      formatter: (pointed: readonly Pointed[]) => boxText(pointed, look),
    },
    series: series.map((one) => seriesOption(one, look)),
  };
}
