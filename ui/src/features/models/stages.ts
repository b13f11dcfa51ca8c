/** Stages of a start-up that the page has words for; a node may name others, which show as they are. */
export const STAGES = [
  "accepted",
  "downloaded",
  "files",
  "environment",
  "launched",
  "program",
  "configuration",
  "engine",
  "weights",
  "compile",
  "profile",
  "cache",
  "graphs",
  "warm_up",
  "vision",
  "healthy",
  "answered",
  "seen",
  "ready",
] as const;
export type Stage = (typeof STAGES)[number];

export function isStage(stage: string): stage is Stage {
  return (STAGES as readonly string[]).includes(stage);
}
