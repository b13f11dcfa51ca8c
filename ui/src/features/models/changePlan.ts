import type { DeploymentSpecInput, DeploymentView } from "@/api/generated/types.gen";
import { sameProgram } from "./spec";
import { totalSeconds } from "./timeline";

/** What saving a changed spec does: `replace` all running replicas, `add` or `end` some, or nothing to any of them.
 * `seconds`: how long the slowest of their starts took, null where none is known. */
export interface ChangePlan {
  kind: "nothing" | "replace" | "add" | "end";
  replicas: number;
  seconds: number | null;
}

export function changePlan(old: DeploymentView, spec: DeploymentSpecInput): ChangePlan {
  const starts = old.replicas.map(({ timeline }) => totalSeconds(timeline)).filter((time) => time !== null);
  const seconds = starts.length > 0 ? Math.max(...starts) : null;
  const running = old.replicas.length;
  const wanted = spec.replicas ?? old.spec.replicas;
  if (old.wanted !== "running") return { kind: "nothing", replicas: 0, seconds };
  if (running > 0 && !sameProgram(old.spec, spec)) return { kind: "replace", replicas: running, seconds };
  if (wanted > old.spec.replicas) return { kind: "add", replicas: wanted - old.spec.replicas, seconds };
  if (wanted < old.spec.replicas)
    return { kind: "end", replicas: Math.min(running, old.spec.replicas - wanted), seconds };
  return { kind: "nothing", replicas: 0, seconds };
}
