import type { ServerResponse } from "node:http";
import type { DeploymentView } from "../api/generated/types.gen";
import { makeDeployment, NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import type { World } from "./world.ts";
import { changed } from "./world.ts";

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
