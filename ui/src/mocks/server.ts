import type { IncomingMessage, ServerResponse } from "node:http";
import type { DeploymentView, KeyView } from "../api/generated/types.gen";
import { CRASHED, DOWNLOAD, makeDeployment, makeFit, makeReplica, NOW } from "./data.ts";

type Body = Record<string, unknown>;

interface World {
  password: string;
  loggedIn: boolean;
  mustChange: boolean;
  deployments: DeploymentView[];
  keys: KeyView[];
  listeners: Set<ServerResponse>;
  events: number;
}

function firstWorld(): World {
  return {
    password: "initial",
    loggedIn: false,
    mustChange: true,
    deployments: [
      makeDeployment(),
      makeDeployment({
        name: "qwen2-vl-2b",
        source: "file:///models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf",
        phase: "starting",
        wanted: 2,
        replicas: [makeReplica({ id: "r-x1", deployment: "qwen2-vl-2b", phase: "downloading", download: DOWNLOAD })],
      }),
      makeDeployment({
        name: "broken",
        source: "file:///models/broken.gguf",
        phase: "failed",
        reasons: [CRASHED],
        replicas: [
          makeReplica({ id: "r-b1", deployment: "broken", phase: "failed", reasons: [CRASHED], pid: null, attempt: 3 }),
        ],
      }),
      makeDeployment({
        name: "text-only",
        source: "file:///models/SmolLM2.gguf",
        phase: "stopped",
        capabilities: ["chat"],
      }),
    ],
    keys: [],
    listeners: new Set(),
    events: 1,
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string, message: string, remedy: string): void {
  json(response, status, {
    type: "about:blank",
    title: code,
    status,
    code,
    message,
    params: {},
    remedy,
    request_id: "mock",
    reasons: [],
  });
}

function changed(world: World): void {
  world.events += 1;
  for (const listener of world.listeners)
    listener.write(`id: ${world.events}\nevent: deployment.changed\ndata: {}\n\n`);
}

const session = (world: World): unknown => ({
  username: "admin",
  is_admin: true,
  must_change_password: world.mustChange,
  expires_at: NOW + 86_400,
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function chat(request: IncomingMessage, response: ServerResponse, body: Body): Promise<void> {
  const model = String(body.model);
  if (model === "broken") {
    json(response, 503, {
      error: {
        message: "The model broken is not running.",
        type: "server_error",
        code: "model_not_ready",
        source: "gateway",
      },
    });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const words =
    "The picture shows **a red circle** on a white ground.\n\n| shape | colour |\n|---|---|\n| circle | red |\n\n![tracker](https://example.com/x.png) <b>not bold</b>".split(
      /(?<= )/,
    );
  for (const word of words) {
    if (request.socket.destroyed) return;
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`);
    await pause(40);
  }
  response.write(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`);
  response.end(
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 31, completion_tokens: words.length } })}\n\ndata: [DONE]\n\n`,
  );
}

function sessions(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  if (path === "/session/hint") {
    json(response, 200, { initial_password_file: "/var/lib/aimindserve/initial_admin_password", version: "0.1.0" });
  } else if (path === "/session" && method === "POST") {
    world.loggedIn = body.username === "admin" && body.password === world.password;
    if (world.loggedIn) json(response, 200, session(world));
    else
      problem(
        response,
        401,
        "login_failed",
        "The user name or the password is wrong.",
        "Try again; an administrator can reset a password with: aimindserve reset-admin-password",
      );
  } else if (!world.loggedIn) {
    problem(response, 401, "unauthenticated", "Nobody is logged in.", "Log in.");
  } else if (path === "/session" && method === "DELETE") {
    world.loggedIn = false;
    json(response, 204, null);
  } else if (path === "/session/password") {
    world.password = String(body.new);
    world.mustChange = false;
    json(response, 200, session(world));
  } else if (path === "/session") {
    json(response, 200, session(world));
  } else {
    return false;
  }
  return true;
}

function deployments(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  const [, root, name = "", action = ""] = path.split("/");
  if (root !== "deployments") return false;
  const found = world.deployments.find((deployment) => deployment.name === name);
  const replace = (next: DeploymentView | null): void => {
    world.deployments = world.deployments.flatMap((old) => (old.name === name ? (next ? [next] : []) : [old]));
  };
  if (!name && method === "GET") {
    json(response, 200, { items: world.deployments });
    return true;
  }
  if (!name) {
    const made = makeDeployment({ name: String(body.name), source: String(body.source) });
    world.deployments.push(made);
    json(response, 201, made);
  } else if (!found) {
    problem(response, 404, "not_found", `There is no deployment ${name}.`, "Check the name in the list.");
  } else if (action === "events") {
    json(response, 200, {
      items: [
        { id: 1, at: NOW, kind: "deployment.created", subject: name, actor: "admin", deployment: name, data: {} },
      ],
    });
    return true;
  } else {
    const phase = action === "stop" ? "stopped" : "ready";
    replace(
      method === "DELETE"
        ? null
        : makeDeployment({
            name,
            source: found.spec.source,
            phase,
            wanted: Number(body.replicas ?? found.spec.replicas),
          }),
    );
    json(response, 200, found);
  }
  changed(world);
  return true;
}

function keys(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
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

/** A small aiMindServe in memory: enough for every page, and nothing else. */
export function makeMockApi() {
  const world = firstWorld();
  return async (request: IncomingMessage, response: ServerResponse, body: Body): Promise<void> => {
    const method = request.method ?? "GET";
    const url = new URL(request.url ?? "/", "http://mock");
    const path = url.pathname.replace("/api/v1", "");
    if (url.pathname.startsWith("/v1/")) await chat(request, response, body);
    else if (sessions(world, method, path, body, response) || deployments(world, method, path, body, response)) return;
    else if (keys(world, method, path, body, response)) return;
    else if (path === "/fit") json(response, 200, makeFit(String(body.source)));
    else if (path === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": open\n\n");
      world.listeners.add(response);
      request.socket.on("close", () => world.listeners.delete(response));
    } else if (path.endsWith("/log")) {
      const text = Array.from({ length: 60 }, (_, line) => `load_tensors: layer ${line} assigned to device CPU`).join(
        "\n",
      );
      json(response, 200, {
        attempt: 1,
        offset: 0,
        next_offset: text.length,
        size: text.length,
        text,
        complete: true,
        attempts: [1],
      });
    } else problem(response, 404, "not_found", "There is no such page.", "Check the address.");
  };
}
