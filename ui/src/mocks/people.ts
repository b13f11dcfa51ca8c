import type { ServerResponse } from "node:http";
import type { BrowserSessionView, EventView, UserView } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import { json } from "./http.ts";
import { NO_LIMITS } from "./keys.ts";

const USERS: UserView[] = (["admin", "operator", "user"] as const).map((role, place) => ({
  id: `u-${place}`,
  username: ["admin", "li.wei", "dana"][place] ?? role,
  role,
  disabled: false,
  must_change_password: place === 2,
  created_at: NOW - 86_400,
  last_login_at: place === 2 ? null : NOW - 600,
  limits: NO_LIMITS,
  tokens_this_month: place * 120_000,
}));

const SESSION: BrowserSessionView = {
  id: "0123456789abcdef",
  user_id: "u-0",
  username: "admin",
  created_at: NOW - 3600,
  seen_at: NOW - 20,
  expires_at: NOW + 40_000,
  address: "192.0.2.7",
  agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  current: true,
};

const EVENTS: EventView[] = [
  {
    id: 1,
    at: NOW - 900,
    kind: "user.created",
    subject: "dana",
    actor: "admin",
    deployment: null,
    data: { role: "user" },
  },
  {
    id: 2,
    at: NOW - 600,
    kind: "deployment.edited",
    subject: "tiny-vlm",
    actor: "admin",
    deployment: "tiny-vlm",
    data: { changes: { parameters: { before: [], after: ["--ctx-size=2048"] } } },
  },
];

/** People, their sessions and what happened; for looking at. */
export function people(url: URL, response: ServerResponse): boolean {
  const path = url.pathname.replace("/api/v1", "");
  const lists: Record<string, readonly unknown[]> = { "/users": USERS, "/sessions": [SESSION], "/events": EVENTS };
  const items = lists[path];
  if (!items || url.searchParams.has("follow")) return false;
  json(response, 200, { items });
  return true;
}
