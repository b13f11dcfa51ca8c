import type { Mark, UnderWayView } from "@/api/generated/types.gen";

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

/** How much of a stage is done after `seconds`, 0 to 1: as the engine tells, else by how long it takes usually. */
export function progressOf(what: UnderWayView, seconds: number): number | null {
  if (what.share !== null) return what.share;
  if (!what.usual_seconds) return null;
  return Math.min(seconds / what.usual_seconds, 1);
}

/** Seconds from the first mark to the last; null with fewer than two. */
export function totalSeconds(marks: readonly Mark[]): number | null {
  const times = marks.map((mark) => mark.at);
  return times.length < 2 ? null : Math.max(...times) - Math.min(...times);
}
