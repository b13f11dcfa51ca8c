import type { ServerResponse } from "node:http";
import type { DeploymentView, ImageTokensView, PictureSize } from "../api/generated/types.gen";
import { makeDeployment, NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import { MEASURED } from "./memory.ts";
import type { World } from "./world.ts";
import { changed } from "./world.ts";

const created = (name: string) => ({
  id: 1,
  at: NOW,
  kind: "deployment.created",
  subject: name,
  actor: "admin",
  deployment: name,
  data: {},
});

/** What a look at one deployment answers. */
function read(action: string, found: DeploymentView): unknown {
  const answers: Record<string, unknown> = { memory: MEASURED, events: { items: [created(found.name)] } };
  return answers[action] ?? found;
}

/** As Qwen2-VL counts: 28 × 28 pixels a token. */
const tokens = ({ width, height }: PictureSize): ImageTokensView => {
  const [across, down] = [Math.round(width / 28), Math.round(height / 28)];
  return { tokens: across * down, exact: true, seen_width: across * 28, seen_height: down * 28 };
};

/** The deployment after an action. */
const next = (found: DeploymentView, action: string, body: Body): DeploymentView =>
  makeDeployment({
    name: found.name,
    source: found.spec.source,
    phase: action === "stop" ? "stopped" : "ready",
    wanted: Number(body.replicas ?? found.spec.replicas),
  });

/** Deployments, which change at once. */
export function deployments(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  const [, root, name = "", action = ""] = path.split("/");
  if (root !== "deployments") return false;
  const found = world.deployments.find((deployment) => deployment.name === name);
  const replace = (other: DeploymentView | null): void => {
    world.deployments = world.deployments.flatMap((old) => (old.name === name ? (other ? [other] : []) : [old]));
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
  } else if (method === "GET") {
    json(response, 200, read(action, found));
    return true;
  } else if (action === "image-tokens") {
    json(response, 200, { items: (body.pictures as PictureSize[]).map(tokens) });
    return true;
  } else {
    replace(method === "DELETE" ? null : next(found, action, body));
    json(response, 200, found);
  }
  changed(world);
  return true;
}
