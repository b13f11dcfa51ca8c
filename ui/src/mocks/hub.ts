import type { ServerResponse } from "node:http";
import type { CodeApprovalRequest, HubSettingsRequest } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import { HUB_MODELS, HUB_SETTINGS, hubFiles, OFFLINE, README } from "./hubData.ts";
import type { World } from "./world.ts";
import { changed } from "./world.ts";

const PAGE = 20;

function search(world: World, query: URLSearchParams, response: ServerResponse): void {
  if (world.hub.offline) {
    json(response, 200, { items: [], next: null, offline: OFFLINE });
    return;
  }
  const words = (query.get("q") ?? "").toLowerCase();
  const [least, most] = [Number(query.get("min_parameters") ?? 0), Number(query.get("max_parameters") ?? Infinity)];
  const from = Number(query.get("cursor") ?? 0);
  const found = HUB_MODELS.filter(
    (model) =>
      model.repository.toLowerCase().includes(words) &&
      (query.get("format") !== "gguf" || model.gguf) &&
      (model.parameters === null || (least <= model.parameters && model.parameters <= most)) &&
      query.get("source") === "hf",
  );
  const next = from + PAGE < found.length ? String(from + PAGE) : null;
  setTimeout(() => {
    json(response, 200, { items: found.slice(from, from + PAGE), next, offline: null });
  }, 200);
}

function approvals(world: World, method: string, path: string, body: Body, response: ServerResponse): void {
  if (method === "POST") {
    const approval = { ...(body as unknown as CodeApprovalRequest), actor: "admin", at: NOW };
    world.approvals = [...world.approvals, approval];
    json(response, 201, approval);
    changed(world);
  } else if (method === "DELETE") {
    world.approvals = world.approvals.filter(({ repository }) => !path.includes(repository));
    json(response, 204, null);
    changed(world);
  } else json(response, 200, { items: world.approvals });
}

/** Hubs without an internet: a few repositories of the guide. */
export function hub(world: World, method: string, url: URL, body: Body, response: ServerResponse): boolean {
  const path = url.pathname.replace("/api/v1", "");
  const [, , , owner = "", name = "", what = ""] = path.split("/");
  const repository = `${owner}/${name}`;
  if (path === "/hub/search") search(world, url.searchParams, response);
  else if (path.startsWith("/hub/approvals")) approvals(world, method, path, body, response);
  else if (path.startsWith("/hub/models/") && what === "readme") {
    json(response, 200, { text: README, truncated: false });
  } else if (path.startsWith("/hub/models/")) {
    const approved = world.approvals.some((approval) => approval.repository === repository);
    setTimeout(() => {
      json(response, 200, hubFiles(repository, approved));
    }, 300);
  } else return false;
  return true;
}

function tokens(world: World, method: string, name: string, body: Body, response: ServerResponse): void {
  const stored = method === "PUT";
  world.hub.tokens = world.hub.tokens.map((token) =>
    token.hub === name
      ? {
          hub: token.hub,
          present: stored,
          origin: stored ? "stored" : null,
          hint: stored ? String(body.token).slice(-4) : null,
          updated_at: stored ? NOW : null,
        }
      : token,
  );
  json(response, 204, null);
}

/** How the hubs are reached. */
export function settings(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  const token = /^\/settings\/hub\/tokens\/(hf|ms)$/.exec(path)?.[1];
  if (token) tokens(world, method, token, body, response);
  else if (path === "/settings/hub/check") {
    const refused = { code: "hub_unreachable", params: {}, message: "modelscope.cn did not answer within 5 s." };
    json(response, 200, {
      items: [
        { hub: "hf", reachable: true, account: "river-otter", milliseconds: 142, problem: null },
        {
          hub: "ms",
          reachable: false,
          account: null,
          milliseconds: null,
          problem: { ...refused, remedy: "Check the machine's connection, or set a proxy or a mirror." },
        },
      ],
    });
  } else if (path === "/settings/hub" && method === "PATCH") {
    const change = body as HubSettingsRequest;
    if (change.huggingface_endpoint === "http://refused.example") {
      problem(response, 422, "invalid_request", "The address is refused.", "Use another one.");
      return true;
    }
    for (const [key, value] of Object.entries(change)) {
      const reset = value === null;
      Object.assign(world.hub, { [key]: reset ? HUB_SETTINGS[key as keyof typeof HUB_SETTINGS] : value });
      world.hub.origins = { ...world.hub.origins, [key]: reset ? "default" : "stored" };
    }
    json(response, 200, world.hub);
  } else if (path === "/settings/hub") json(response, 200, world.hub);
  else return false;
  return true;
}
