import type { ServerResponse } from "node:http";
import type { FilesView, ModelFilesView, ModelState } from "../api/generated/types.gen.ts";
import { inState, makeFiles } from "./filesData.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import type { World } from "./world.ts";
import { changed } from "./world.ts";

const NEXT: Record<string, ModelState> = { pause: "paused", resume: "downloading", retry: "downloading" };
const TICK_MS = 1000;

/** One second of downloading: every moving entry and replica gets on, and pages hear of it without a refresh. */
function tick(world: World): void {
  const files: Record<string, ModelFilesView["progress"]> = {};
  const ended: string[] = [];
  const advance = (item: ModelFilesView): ModelFilesView => {
    if (item.state !== "downloading") return item;
    const total = item.size;
    const rate = Math.max(total / 200, 1);
    const done = Math.min(total, item.progress.done + rate);
    const progress = { done, total, rate, eta: (total - done) / rate };
    if (done < total) {
      files[item.key] = progress;
      return { ...item, progress, freed: done };
    }
    ended.push(item.key);
    return inState(item, "ready");
  };
  world.files = { ...world.files, items: world.files.items.map(advance) };
  const replicas: Record<string, ModelFilesView["progress"]> = {};
  for (const replica of world.deployments.flatMap((deployment) => deployment.replicas)) {
    if (replica.phase !== "downloading" || !replica.download) continue;
    const { done, total } = replica.download;
    const rate = total / 100;
    const now = Math.min(total * 0.99, done + rate);
    replica.download = { done: now, total, rate, eta: (total - now) / rate };
    replicas[replica.id] = replica.download;
  }
  const data = JSON.stringify({ node_id: "n-1", files, replicas });
  for (const listener of world.listeners) listener.write(`event: progress\ndata: ${data}\n\n`);
  if (ended.length > 0) changed(world);
}

export function startDownloads(world: World): void {
  setInterval(() => {
    if (world.listeners.size > 0) tick(world);
  }, TICK_MS).unref();
}

function add(world: World, body: Body, response: ServerResponse): void {
  const source = String(body.source);
  const wanted = (body.nodes as string[] | undefined) ?? [];
  const local = source.startsWith("/") || source.startsWith("file:");
  if (source.includes("gated")) {
    problem(
      response,
      422,
      "hub_gated",
      "This repository is only for accounts that accepted its licence.",
      "Accept the licence on its page, then try again.",
    );
    return;
  }
  const stores = world.files.stores.filter((store) => wanted.length === 0 || wanted.includes(store.node_id));
  const name = source.split("/").pop()?.split(":")[0] ?? source;
  const items = stores.map(({ node_id, node }, index) =>
    makeFiles({
      node_id,
      node,
      name,
      source,
      key: `${Date.now().toString(16)}${index}`,
      state: local ? "ready" : "downloading",
      ...(local ? { kind: "local", revision: null, freed: 0, allowed_actions: ["deploy", "forget"] } : {}),
    }),
  );
  world.files = { ...world.files, items: [...world.files.items, ...items] };
  json(response, 201, { items, stores: [] } satisfies FilesView);
  changed(world);
}

/** `/files`: list, download ahead, orders, deletion. */
export function files(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  const [, root, node = "", key = "", action = ""] = path.split("/");
  if (root !== "files") return false;
  const found = world.files.items.find((item) => item.node_id === node && item.key === key);
  const next = NEXT[action];
  if (!node && method === "GET") json(response, 200, world.files);
  else if (!node) add(world, body, response);
  else if (!found)
    problem(response, 404, "not_found", "There are no such files.", "Load the page again: somebody deleted them.");
  else {
    const items = world.files.items.flatMap((item) =>
      item === found ? (next && method === "POST" ? [inState(found, next)] : []) : [item],
    );
    world.files = { ...world.files, items };
    json(response, 204, null);
    changed(world);
  }
  return true;
}
