import type { Role, SessionView } from "@/api/generated/types.gen";

/** Each role may do all that those after it may. */
export const ROLES = ["admin", "operator", "user"] as const satisfies readonly Role[];

/** Whether somebody may do what `needed` may. */
export function mayAct(session: SessionView | null | undefined, needed: Role): boolean {
  return session ? ROLES.indexOf(session.role) <= ROLES.indexOf(needed) : false;
}
