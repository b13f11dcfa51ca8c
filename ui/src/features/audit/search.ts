import type { EventWish } from "@/api/people";
import type { EventGroup } from "@/lib/events";
import { EVENT_GROUPS } from "@/lib/events";

export const PERIODS = [1, 7, 30, 90] as const;

/** What the page shows, kept in its address: events about `group`, by `actor`, about `subject`, of the last `days`. */
export interface AuditSearch {
  group?: EventGroup;
  actor?: string;
  subject?: string;
  days?: (typeof PERIODS)[number];
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const found = {
    group: EVENT_GROUPS.find((group) => group === search.group),
    actor: text(search.actor),
    subject: text(search.subject),
    days: PERIODS.find((days) => days === search.days),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** What is asked of the server. `now` Unix seconds; rounded, so that the question stays the same for a while. */
export function wishOf({ group, actor, subject, days }: AuditSearch, now: number): EventWish {
  return {
    ...(group && { kind: `${group}.` }),
    ...(actor && { actor }),
    ...(subject && { subject }),
    ...(days && { since: Math.floor(now / 3600) * 3600 - days * 86_400 }),
  };
}
