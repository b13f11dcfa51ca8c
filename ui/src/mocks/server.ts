import type { IncomingMessage, ServerResponse } from "node:http";
import { aliases } from "./aliases.ts";
import { catalog } from "./catalog.ts";
import { inference } from "./chat.ts";
import { deployments } from "./deployments.ts";
import { firstEngines } from "./engines.ts";
import { files, startDownloads } from "./files.ts";
import { makeFit } from "./fit.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import { hub, settings } from "./hub.ts";
import { keys } from "./keys.ts";
import { firstNodes } from "./nodes.ts";
import { overview } from "./overview.ts";
import { people } from "./people.ts";
import { sessions } from "./sessions.ts";
import { usage } from "./usage.ts";
import type { World } from "./world.ts";
import { firstWorld } from "./world.ts";

function log(response: ServerResponse): void {
  const text = Array.from({ length: 60 }, (_, line) => `load_tensors: layer ${line} assigned to device CPU`).join("\n");
  json(response, 200, {
    attempt: 1,
    offset: 0,
    next_offset: text.length,
    size: text.length,
    text,
    complete: true,
    attempts: [1],
  });
}

function engines(_world: World, method: string, path: string, _body: Body, response: ServerResponse): boolean {
  if (path !== "/engines") return false;
  json(response, method === "GET" ? 200 : 202, firstEngines());
  return true;
}

const PARTS = [sessions, deployments, aliases, keys, files, settings, engines];
const LOOKS = [catalog, usage, overview, people];

/** The stream of events, which stays open. */
function listen(world: World, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": open\n\n");
  world.listeners.add(response);
  request.socket.on("close", () => world.listeners.delete(response));
}

/** A small aiMindServe in memory: enough for every page, and nothing else. */
export function makeMockApi() {
  const world = firstWorld();
  startDownloads(world);
  return async (request: IncomingMessage, response: ServerResponse, body: Body): Promise<void> => {
    const method = request.method ?? "GET";
    const url = new URL(request.url ?? "/", "http://mock");
    const path = url.pathname.replace("/api/v1", "");
    if (url.pathname.startsWith("/v1/")) await inference(url.pathname, request, response, body);
    else if (PARTS.some((part) => part(world, method, path, body, response))) return;
    else if (LOOKS.some((look) => look(url, response))) return;
    else if (hub(world, method, url, body, response)) return;
    else if (path === "/nodes") json(response, 200, { items: firstNodes(world.deployments) });
    else if (path === "/fit") json(response, 200, makeFit(String(body.source)));
    else if (path === "/events") listen(world, request, response);
    else if (path.endsWith("/log")) log(response);
    else problem(response, 404, "not_found", "There is no such page.", "Check the address.");
  };
}
