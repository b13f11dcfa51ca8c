import type { Mark } from "@/api/generated/types.gen";

/** A stage of a start-up and how long it took to reach it from the one before; null for the first. */
export interface Step {
  stage: string;
  seconds: number | null;
}

/** The stages in order, each with the time since the one before. */
export function steps(marks: readonly Mark[]): Step[] {
  const ordered = [...marks].sort((a, b) => a.at - b.at);
  return ordered.map((mark, index) => {
    const before = ordered[index - 1];
    return { stage: mark.stage, seconds: before ? mark.at - before.at : null };
  });
}

/** Seconds from the first mark to the last; null with fewer than two. */
export function totalSeconds(marks: readonly Mark[]): number | null {
  const times = marks.map((mark) => mark.at);
  return times.length < 2 ? null : Math.max(...times) - Math.min(...times);
}
