import type { ServerResponse } from "node:http";
import type { DeploymentView } from "../api/generated/types.gen";
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

/** Deployments, which change at once. */
export function deployments(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
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
  } else if (method === "GET") {
    json(response, 200, read(action, found));
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
