import type { ServerResponse } from "node:http";
import type { UsageView } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import { json } from "./http.ts";

const NAMES = { model: ["demo", "qwen2-vl-2b"], key: ["laptop", "batch jobs", ""], user: ["admin", "li"] };

function row(day: number, by: keyof typeof NAMES, place: number, name: string): UsageView {
  const busy = (day * 7 + place * 3) % 11;
  return {
    day: new Date((NOW - day * 86_400) * 1000).toISOString().slice(0, 10),
    model: by === "model" ? name : "",
    key_id: by === "key" && name ? `key${place}` : "",
    key: by === "key" ? name : "",
    user_id: by === "user" ? `user${place}` : "",
    user: by === "user" ? name : "",
    requests: busy * 40,
    failed: busy % 3,
    prompt_tokens: busy * 21_000,
    completion_tokens: busy * 9000,
    cached_tokens: busy * 4000,
    image_tokens: busy * 12_000,
    images: busy * 31,
  };
}

/** Three weeks of usage. */
export function usage(url: URL, response: ServerResponse): boolean {
  if (url.pathname !== "/api/v1/usage") return false;
  const by = (url.searchParams.get("by") ?? "model") as keyof typeof NAMES;
  const days = Math.min(21, Number(url.searchParams.get("days") ?? 30));
  const items = Array.from({ length: days }, (_, day) => NAMES[by].map((name, place) => row(day, by, place, name)));
  json(response, 200, { items: items.flat().filter(({ requests }) => requests > 0) });
  return true;
}
