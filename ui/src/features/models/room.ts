import type { AlternativeView, DeploymentPatch, DeploymentView } from "@/api/generated/types.gen";

/** What happens to another deployment so that there is room: it is stopped, or some fields of its spec are set. */
export interface Step {
  name: string;
  patch: DeploymentPatch | null;
}

export const wantsRoom = ({ stop, others }: AlternativeView): boolean =>
  stop.length > 0 || Object.keys(others).length > 0;

export function roomOf({ stop, others }: AlternativeView): Step[] {
  return [
    ...stop.map((name): Step => ({ name, patch: null })),
    // The server offers only fields that a deployment's change takes.
    ...Object.entries(others).map(([name, patch]): Step => ({ name, patch })),
  ];
}

/** What a step does to a deployment, in numbers: replicas that end and that go on, bytes that come free for certain. */
export interface Effect {
  kind: "stop" | "scale" | "restart";
  ending: number;
  staying: number;
  bytes: number;
  parameters: string;
}

export function effectOf({ patch }: Step, deployment: DeploymentView | undefined): Effect {
  const replicas = (deployment?.replicas ?? []).filter((replica) => replica.claims.length > 0);
  const held = replicas.flatMap((replica) => replica.claims).reduce((sum, claim) => sum + claim.bytes, 0);
  if (patch === null) return { kind: "stop", ending: replicas.length, staying: 0, bytes: held, parameters: "" };
  const wanted = patch.replicas;
  if (typeof wanted === "number" && !patch.parameters) {
    const ending = Math.max(0, replicas.length - wanted);
    // Replicas of one deployment claim alike.
    const bytes = replicas.length > 0 ? Math.round((held / replicas.length) * ending) : 0;
    return { kind: "scale", ending, staying: wanted, bytes, parameters: "" };
  }
  const parameters = (patch.parameters ?? []).join(" ");
  return { kind: "restart", ending: replicas.length, staying: replicas.length, bytes: 0, parameters };
}
