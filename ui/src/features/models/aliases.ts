import type { AliasView } from "@/api/generated/types.gen";

/** Where an alias leads, with each share of the requests: `old 90%, new 10%`. One alone needs no share. */
export function shares({ targets }: Pick<AliasView, "targets">): string {
  const whole = targets.reduce((sum, { weight = 1 }) => sum + weight, 0);
  if (targets.length === 1) return targets[0]?.deployment ?? "";
  return targets.map(({ deployment, weight = 1 }) => `${deployment} ${Math.round((100 * weight) / whole)}%`).join(", ");
}
