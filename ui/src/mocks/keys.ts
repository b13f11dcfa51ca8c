import type { ServerResponse } from "node:http";
import type { KeyView } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json } from "./http.ts";
import type { World } from "./world.ts";

/** API keys; deleting one deletes all. */
export function keys(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  if (!path.startsWith("/keys")) return false;
  if (method === "GET") json(response, 200, { items: world.keys });
  else if (method === "POST") {
    const key: KeyView = {
      id: "a2b3c4d5e6f7",
      name: String(body.name),
      scopes: body.scopes as KeyView["scopes"],
      models: null,
      created_at: NOW,
      expires_at: null,
      last_used_at: null,
      disabled: false,
      owner: "admin",
    };
    world.keys = [...world.keys, key];
    json(response, 201, { ...key, token: "sk-a2b3c4d5e6f7-not-a-real-key" });
  } else {
    world.keys = [];
    json(response, 204, null);
  }
  return true;
}
