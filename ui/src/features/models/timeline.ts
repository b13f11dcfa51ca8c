import type { Mark } from "@/api/generated/types.gen";

/** A stage of a start-up and how long it took; null while it is under way or the last one. */
export interface Step {
  stage: string;
  seconds: number | null;
}

/** The stages in order with their durations: each lasts until the next one is reached. */
export function steps(marks: readonly Mark[]): Step[] {
  const ordered = [...marks].sort((a, b) => a.at - b.at);
  return ordered.map((mark, index) => {
    const next = ordered[index + 1];
    return { stage: mark.stage, seconds: next ? next.at - mark.at : null };
  });
}

/** Seconds from the first mark to the last; null with fewer than two. */
export function totalSeconds(marks: readonly Mark[]): number | null {
  const times = marks.map((mark) => mark.at);
  return times.length < 2 ? null : Math.max(...times) - Math.min(...times);
}
