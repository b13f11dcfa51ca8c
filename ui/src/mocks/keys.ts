import type { ServerResponse } from "node:http";
import type { KeyView, LimitsViewOutput } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json } from "./http.ts";
import type { World } from "./world.ts";

export const NO_LIMITS: LimitsViewOutput = {
  requests_per_minute: null,
  tokens_per_minute: null,
  images_per_minute: null,
  concurrent: null,
  tokens_per_month: null,
};

function expiry(body: Body): number | null {
  return typeof body.expires_in === "number" ? NOW + body.expires_in : null;
}

function make(world: World, body: Body): KeyView {
  return {
    id: `a2b3c4d5e6f${world.keys.length}`,
    name: String(body.name),
    scopes: body.scopes as KeyView["scopes"],
    models: (body.models ?? null) as string[] | null,
    created_at: NOW,
    expires_at: expiry(body),
    last_used_at: null,
    disabled: false,
    owner: "admin",
    networks: (body.networks ?? null) as string[] | null,
    limits: { ...NO_LIMITS, ...(body.limits as LimitsViewOutput | null) },
    tokens_this_month: 0,
  };
}

/** API keys. */
export function keys(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  if (!path.startsWith("/keys")) return false;
  const id = path.split("/")[2];
  if (method === "GET") json(response, 200, { items: world.keys });
  else if (method === "POST") {
    const key = make(world, body);
    world.keys = [...world.keys, key];
    json(response, 201, { ...key, token: `sk-${key.id}-not-a-real-key` });
  } else if (method === "PATCH") {
    const { expires_in, limits, ...rest } = body;
    world.keys = world.keys.map((key) =>
      key.id === id
        ? {
            ...key,
            ...rest,
            ...(expires_in === undefined ? {} : { expires_at: expiry(body) }),
            ...(limits === undefined ? {} : { limits: { ...NO_LIMITS, ...(limits as LimitsViewOutput | null) } }),
          }
        : key,
    );
    json(
      response,
      200,
      world.keys.find((key) => key.id === id),
    );
  } else {
    world.keys = world.keys.filter((key) => key.id !== id);
    json(response, 204, null);
  }
  return true;
}
