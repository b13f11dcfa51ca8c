import type { ServerResponse } from "node:http";
import type { AliasView, CodeApprovalView, DeploymentView, HubSettingsView, KeyView } from "../api/generated/types.gen";
import type { FilesView } from "../api/generated/types.gen.ts";
import { CRASHED, DOWNLOAD, makeDeployment, makeReplica } from "./data.ts";
import { firstFiles } from "./filesData.ts";
import { HUB_SETTINGS } from "./hubData.ts";
import { makeShort } from "./memory.ts";

/** What the mock server remembers. */
export interface World {
  password: string;
  loggedIn: boolean;
  mustChange: boolean;
  deployments: DeploymentView[];
  files: FilesView;
  hub: HubSettingsView;
  approvals: CodeApprovalView[];
  keys: KeyView[];
  aliases: AliasView[];
  listeners: Set<ServerResponse>;
  events: number;
}

export function firstWorld(): World {
  return {
    password: "initial",
    loggedIn: false,
    mustChange: true,
    deployments: [
      makeDeployment(),
      makeDeployment({
        name: "qwen2-vl-2b",
        source: "file:///models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf",
        phase: "downloading",
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
      makeShort(),
      makeDeployment({ name: "qwen3-vl-8b", source: "file:///models/Qwen3-VL-8B-Instruct-Q4_K_M.gguf" }),
      makeDeployment({ name: "bge-m3", source: "file:///models/bge-m3.gguf", capabilities: ["embedding"] }),
      makeDeployment({ name: "reranker", source: "file:///models/bge-reranker.gguf", capabilities: ["rerank"] }),
      makeDeployment({
        name: "text-only",
        source: "file:///models/SmolLM2.gguf",
        phase: "stopped",
        capabilities: ["chat"],
      }),
    ],
    files: firstFiles(),
    hub: { ...HUB_SETTINGS },
    approvals: [],
    keys: [],
    aliases: [],
    listeners: new Set(),
    events: 1,
  };
}

/** Tells every listening page that something changed. */
export function changed(world: World): void {
  world.events += 1;
  for (const listener of world.listeners)
    listener.write(`id: ${world.events}\nevent: deployment.changed\ndata: {}\n\n`);
}
