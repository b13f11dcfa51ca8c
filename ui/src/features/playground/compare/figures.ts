import type { Stats } from "../turns";

export const FIGURES = ["ttftMs", "tokensPerSecond", "totalMs", "promptTokens", "completionTokens"] as const;
export type Figure = (typeof FIGURES)[number];

/** Which end of a figure is better; tokens are neither. */
const BETTER: Partial<Record<Figure, "less" | "more">> = { ttftMs: "less", tokensPerSecond: "more", totalMs: "less" };

/** A figure of one answer. `best`: no other answer has a better one; `apart`: how far from the best, as a share of it,
 * null for the best itself, and where nobody is best. */
export interface Cell {
  value: number | null;
  best: boolean;
  apart: number | null;
}

/** One figure of all answers, in their order. Nobody is best among fewer than two. */
export function cells(figure: Figure, all: readonly (Stats | null)[]): Cell[] {
  const values = all.map((stats) => stats?.[figure] ?? null);
  const known = values.filter((value) => value !== null);
  const better = BETTER[figure];
  if (!better || known.length < 2) return values.map((value) => ({ value, best: false, apart: null }));
  const top = better === "less" ? Math.min(...known) : Math.max(...known);
  return values.map((value) => {
    const best = value === top;
    return { value, best, apart: value === null || best || top === 0 ? null : (value - top) / top };
  });
}
