import type { MeasuredItemView } from "@/api/generated/types.gen";

type Figures = Pick<MeasuredItemView, "measured" | "estimated" | "high">;

/** How a figure stands to its estimate: within the likely and the highest, below, above, or nothing was estimated. */
export function standing({ measured, estimated, high }: Figures): "within" | "below" | "above" | "unknown" {
  if (estimated === null) return "unknown";
  if (measured > Math.max(high ?? estimated, estimated) * 1.005) return "above";
  return measured < estimated * 0.995 ? "below" : "within";
}

/** The difference to the likely estimate in percent, with its sign; null where there is none to compare with. */
export function deviation({ measured, estimated }: Figures): string | null {
  if (estimated === null || estimated === 0) return null;
  const percent = (measured / estimated - 1) * 100;
  const shown = Math.abs(percent) < 0.05 ? 0 : percent;
  return `${shown > 0 ? "+" : ""}${shown.toFixed(1)} %`;
}

/** Length of a figure's bar in percent of the longest; something is always seen. */
export function barWidth({ measured }: Pick<MeasuredItemView, "measured">, widest: number): number {
  return Math.max((measured / Math.max(widest, 1)) * 100, 1);
}
