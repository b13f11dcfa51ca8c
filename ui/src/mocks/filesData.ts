import type { FilesView, ModelFilesView, ModelState } from "../api/generated/types.gen.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const SHA = "9f2b8d6c41e07a35b1c9d84e6f20a7b3c5d1e8f9";

const ACTIONS: Record<ModelState, ModelFilesView["allowed_actions"]> = {
  queued: ["pause", "delete"],
  downloading: ["pause", "delete"],
  ready: ["deploy", "delete"],
  paused: ["resume", "delete"],
  failed: ["retry", "delete"],
};

const STORE = "/var/lib/aimindserve/models";

/** What a deployment needs can neither go nor be paused. */
function actionsIn(state: ModelState, usedBy: readonly string[] = []): ModelFilesView["allowed_actions"] {
  return ACTIONS[state].filter((action) => usedBy.length === 0 || (action !== "delete" && action !== "pause"));
}

/** An entry as the server answers it; the rest follows from its state. */
export function makeFiles(change: Partial<ModelFilesView> = {}): ModelFilesView {
  const state = change.state ?? "ready";
  const key = change.key ?? "a1b2c3d4e5f60718";
  const files = change.files ?? [
    { path: "Qwen2-VL-2B-Instruct-Q4_K_M.gguf", role: "weights", size: 940 * MIB },
    { path: "mmproj-Qwen2-VL-2B-Instruct-f16.gguf", role: "projector", size: 1269 * MIB },
  ];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const progress = change.progress ?? { done: state === "ready" ? size : 0, total: size, rate: null, eta: null };
  return {
    node_id: "n-1",
    node: "gpu-server",
    key,
    kind: "store",
    source: "hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M",
    revision: SHA,
    name: "Qwen2-VL-2B-Instruct-GGUF",
    architecture: "qwen2vl",
    quantization: "Q4_K_M",
    capabilities: ["chat", "vision"],
    files,
    size,
    state,
    progress,
    path: `${STORE}/views/${key}`,
    brought_from: null,
    freed: state === "ready" ? size : progress.done,
    used_by: [],
    reasons: [],
    retry_at: null,
    allowed_actions: actionsIn(state, change.used_by),
    ...change,
  };
}

const SHARDS = [1, 2, 3, 4, 5].map((part) => ({
  path: `model-0000${part}-of-00005.safetensors`,
  role: "weights",
  size: part === 5 ? 1.1 * GIB : 4.6 * GIB,
}));

export function firstFiles(): FilesView {
  return {
    stores: [
      { node_id: "n-1", node: "gpu-server", path: STORE, used: 31.4 * GIB, disk_free: 812 * GIB },
      { node_id: "n-2", node: "workstation", path: "/data/aimindserve/models", used: 0, disk_free: 96.2 * GIB },
    ],
    items: [
      makeFiles({ freed: 940 * MIB }),
      makeFiles({
        key: "f1b2c3d4e5f60718",
        name: "InternVL3-8B-GGUF",
        source: "hf://ggml-org/InternVL3-8B-Instruct-GGUF:Q4_K_M",
        state: "downloading",
        progress: { done: 300 * MIB, total: 2209 * MIB, rate: 12 * MIB, eta: 160 },
      }),
      makeFiles({
        key: "b1b2c3d4e5f60718",
        name: "Qwen2-VL-7B-Instruct",
        source: "hf://Qwen/Qwen2-VL-7B-Instruct",
        quantization: null,
        state: "downloading",
        files: [...SHARDS, { path: "config.json", role: "config", size: 1185 }],
        progress: { done: 6.2 * GIB, total: 19.5 * GIB, rate: 84 * MIB, eta: 162 },
        used_by: ["qwen2-vl-7b", "qwen2-vl-7b-long"],
      }),
      makeFiles({
        key: "c1b2c3d4e5f60718",
        name: "Pixtral-12B-2409",
        source: "hf://mistralai/Pixtral-12B-2409",
        architecture: "pixtral",
        quantization: null,
        state: "failed",
        files: [{ path: "consolidated.safetensors", role: "weights", size: 23.6 * GIB }],
        progress: { done: 0, total: 23.6 * GIB, rate: null, eta: null },
        reasons: [
          {
            code: "hub_gated",
            params: {},
            message: "mistralai/Pixtral-12B-2409 is only for accounts that accepted its licence.",
            remedy:
              "Accept it at https://huggingface.co/mistralai/Pixtral-12B-2409 with the token's account, then try again.",
          },
        ],
      }),
      makeFiles({
        key: "d1b2c3d4e5f60718",
        name: "Phi-3.5-vision-instruct",
        source: "ms://LLM-Research/Phi-3.5-vision-instruct",
        architecture: "phi3_v",
        quantization: null,
        state: "paused",
        files: [{ path: "model.safetensors", role: "weights", size: 7.7 * GIB }],
        progress: { done: 3.1 * GIB, total: 7.7 * GIB, rate: null, eta: null },
      }),
      makeFiles({
        key: "e1b2c3d4e5f60718",
        kind: "local",
        name: "SmolLM2",
        source: "file:///models/SmolLM2.gguf",
        revision: null,
        architecture: "llama",
        quantization: "Q8_0",
        capabilities: ["chat"],
        files: [{ path: "/models/SmolLM2.gguf", role: "weights", size: 138 * MIB }],
        path: "/models/SmolLM2.gguf",
        freed: 0,
        used_by: ["text-only"],
        allowed_actions: ["deploy", "forget"],
      }),
    ],
  };
}

/** `item` in another state, with what is allowed then. */
export function inState(item: ModelFilesView, state: ModelState): ModelFilesView {
  const done = state === "ready" ? item.size : item.progress.done;
  const progress = { ...item.progress, done, rate: null, eta: null };
  const freed = done;
  return {
    ...item,
    state,
    progress,
    freed,
    reasons: [],
    retry_at: null,
    allowed_actions: actionsIn(state, item.used_by),
  };
}
