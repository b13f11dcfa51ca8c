import type { ServerResponse } from "node:http";
import type { AliasSpec } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json } from "./http.ts";
import type { World } from "./world.ts";

/** Further names for models. */
export function aliases(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  if (!path.startsWith("/aliases")) return false;
  const name = decodeURIComponent(path.split("/")[2] ?? "");
  const others = world.aliases.filter((alias) => alias.name !== name);
  if (method === "GET") json(response, 200, { items: world.aliases });
  else if (method === "PUT") {
    const { targets, fallback = null } = body as unknown as AliasSpec;
    const alias = { name, targets, fallback, missing: [], created_at: NOW, updated_at: NOW };
    world.aliases = [...others, alias].sort((a, b) => a.name.localeCompare(b.name));
    json(response, 200, alias);
  } else {
    world.aliases = others;
    response.writeHead(204).end();
  }
  return true;
}
