import type { DeploymentView } from "@/api/generated/types.gen";

const WAKING: readonly DeploymentView["phase"][] = [
  "asleep",
  "pending",
  "placing",
  "downloading",
  "preparing",
  "starting",
];

/** Whether a request is answered, perhaps after waiting for a model that it wakes. */
export function answers({ phase, spec, wanted }: DeploymentView): boolean {
  if (phase === "ready") return true;
  const { minimum, hold_seconds } = spec.scaling;
  return wanted === "running" && minimum === 0 && hold_seconds > 0 && WAKING.includes(phase);
}
