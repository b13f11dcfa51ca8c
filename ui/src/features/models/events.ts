import type { EventView } from "@/api/generated/types.gen";
import type { en } from "@/i18n/en";

type Kinds = typeof en.events.kind;
export type EventKey =
  `events.kind.deployment.${keyof Kinds["deployment"]}` | `events.kind.replica.${keyof Kinds["replica"]}`;

/** The key of an event's words; null for a kind that this page does not know. */
export function eventKey(event: EventView, exists: (key: string) => boolean): EventKey | null {
  const key = `events.kind.${event.kind}`;
  return exists(key) ? (key as EventKey) : null;
}

/** What an event tells beyond its kind: phases and codes, as the server names them. */
export function eventDetail(event: EventView): string {
  const parts = Object.entries(event.data).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" ? [`${name}: ${String(value)}`] : [],
  );
  return parts.join(", ");
}
