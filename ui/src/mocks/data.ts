import type {
  DeploymentView,
  FitReport,
  MemoryItemView,
  ParameterView,
  ReasonView,
  ReplicaView,
} from "../api/generated/types.gen";

const MIB = 1024 ** 2;
export const NOW = 1_795_000_000;

const line = (item: string, mebibytes: number, why: string): MemoryItemView => ({
  item,
  bytes: mebibytes * MIB,
  high: mebibytes * 1.1 * MIB,
  place: "device",
  source: "GGUF header",
  why,
  base: null,
  corrections: [],
});
export const MEMORY = [
  line("weights", 5.1, "The language model's weights, as in the file."),
  line("projector", 1.4, "The part that turns pictures into tokens."),
  line("kv_cache", 12, "Keys and values of 2048 tokens in 6 layers."),
  line("compute", 21, "Working memory for one batch."),
  line("overhead", 96, "The engine program itself."),
];
export const TOTAL = MEMORY.reduce((sum, item) => sum + item.bytes, 0);

const derived: Pick<ParameterView, "origin" | "names" | "choices"> = { origin: "derived", names: [], choices: [] };
export const PARAMETERS: FitReport["parameters"] = [
  { ...derived, flag: "--ctx-size", value: "2048", names: ["-c"], why: "The model was trained for 2048 tokens." },
  {
    flag: "--image-min-tokens",
    value: "16",
    ...derived,
    why: "The model was trained on pictures of 16 tokens.",
  },
  {
    flag: "--image-max-tokens",
    value: "16",
    ...derived,
    why: "The model was trained on pictures of 16 tokens.",
  },
  {
    flag: "--flash-attn",
    value: "auto",
    origin: "default",
    names: ["-fa"],
    choices: ["on", "off", "auto"],
    why: "The engine decides.",
  },
  {
    flag: "--no-webui",
    value: null,
    origin: "managed",
    names: [],
    choices: [],
    why: "The engine's own page stays off.",
  },
];

export const CRASHED: ReasonView = {
  code: "engine_load_failed",
  params: {},
  message: "The engine could not load the model: tensor 'blk.0.attn_q.weight' not found.",
  remedy: "Copy or download the file again and compare its size and checksum with the original.",
};

export const DOWNLOAD = { done: 400 * MIB, total: 1000 * MIB, rate: 50 * MIB, eta: 12 };

export function makeReplica(change: Partial<ReplicaView> = {}): ReplicaView {
  return {
    id: "r-7f3k2a",
    deployment: "tiny-vlm",
    generation: 1,
    node_id: "n-1",
    node: "gpu-server",
    phase: "ready",
    reasons: [],
    attempt: 1,
    restarts: 0,
    pid: 41234,
    download: null,
    created_at: NOW - 60,
    ready_since: NOW - 50,
    retry_at: null,
    timeline: [
      { stage: "accepted", at: NOW - 60 },
      { stage: "files", at: NOW - 59.97 },
      { stage: "environment", at: NOW - 59.95 },
      { stage: "launched", at: NOW - 59.9 },
      { stage: "healthy", at: NOW - 58.1 },
      { stage: "answered", at: NOW - 58.05 },
      { stage: "seen", at: NOW - 58 },
      { stage: "ready", at: NOW - 58 },
    ],
    under_way: null,
    evidence: [],
    sight: {
      outcome: "passed",
      checks: [
        { kind: "colour", shown: "blue", answer: "The square is blue.", right: true },
        { kind: "count", shown: "3", answer: "There are three shapes.", right: true },
        { kind: "text", shown: "3", answer: "The number is 3.", right: true },
      ],
    },
    claims: [{ device_id: "cpu", bytes: TOTAL, exclusive: false }],
    ...change,
  };
}

interface DeploymentWish {
  name?: string;
  source?: string;
  phase?: DeploymentView["phase"];
  capabilities?: string[];
  reasons?: ReasonView[];
  replicas?: ReplicaView[];
  wanted?: number;
}

const PLAIN = {
  name: "tiny-vlm",
  source: "demo://tiny-vlm",
  phase: "ready",
  capabilities: ["chat", "vision"],
  reasons: [],
  wanted: 1,
} satisfies DeploymentWish;

export function makeDeployment(wish: DeploymentWish = {}): DeploymentView {
  const { name, source, phase, capabilities, reasons, wanted } = { ...PLAIN, ...wish };
  const stopped = phase === "stopped";
  const replicas = wish.replicas ?? (stopped ? [] : [makeReplica({ deployment: name, phase })]);
  return {
    id: `d-${name}`,
    name,
    spec: {
      name,
      source,
      projector: null,
      engine: "auto",
      engine_version: null,
      parameters: [],
      replicas: wanted,
      placement: { nodes: [], devices: [], strategy: "spread", cpu: "auto", labels: {} },
      scaling: { minimum: null, queue: null, idle_seconds: 600, hold_seconds: 60 },
      env: {},
    },
    wanted: stopped ? "stopped" : "running",
    generation: 1,
    revision: 1,
    phase,
    reasons,
    replicas,
    replicas_target: wanted,
    load_seconds: null,
    replicas_ready: replicas.filter((replica) => replica.phase === "ready").length,
    allowed_actions: stopped ? ["start", "edit", "scale", "delete"] : ["stop", "restart", "edit", "scale", "delete"],
    capabilities,
    architecture: "qwen2vl",
    quantization: "Q8_0",
    context_length: 2048,
    plan: {
      engine: "llama.cpp",
      gpus: 0,
      memory: MEMORY,
      memory_total: TOTAL,
      memory_high: TOTAL,
      host_high: 0,
      parameters: PARAMETERS,
    },
    offer: null,
    created_at: NOW - 3600,
    updated_at: NOW - 60,
  };
}
