import type { EventView } from "@/api/generated/types.gen";
import type { en } from "@/i18n/en";

type Kinds = typeof en.events.kind;
export type EventKey = {
  [Group in keyof Kinds]: `events.kind.${Group}.${Extract<keyof Kinds[Group], string>}`;
}[keyof Kinds];

/** What events are about, as their kinds begin. */
export const EVENT_GROUPS = [
  "deployment",
  "replica",
  "model",
  "node",
  "user",
  "session",
  "key",
  "hub",
  "code",
] as const satisfies readonly (keyof Kinds)[];
export type EventGroup = (typeof EVENT_GROUPS)[number];

/** The key of an event's words; null for a kind that this page does not know. */
export function eventKey(event: Pick<EventView, "kind">, exists: (key: string) => boolean): EventKey | null {
  const key = `events.kind.${event.kind}`;
  return exists(key) ? (key as EventKey) : null;
}

/** What an event tells beyond its kind: phases and codes, as the server names them. */
export function eventDetail(event: Pick<EventView, "data">): string {
  const parts = Object.entries(event.data).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" ? [`${name}: ${String(value)}`] : [],
  );
  return parts.join(", ");
}

export interface FieldChange {
  field: string;
  before: string;
  after: string;
}

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function words(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.map(words).join(" ");
  if (isFields(value)) {
    const parts = Object.entries(value).map(([name, inner]) => `${name}: ${words(inner)}`);
    return parts.length === 0 ? "–" : parts.join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The fields that an event says were changed, each before and after. */
export function fieldChanges(event: Pick<EventView, "data">): FieldChange[] {
  const { changes } = event.data;
  if (!isFields(changes)) return [];
  return Object.entries(changes).flatMap(([field, change]) =>
    isFields(change) ? [{ field, before: words(change.before), after: words(change.after) }] : [],
  );
}
