import type { EnginesView, EnvironmentView } from "@/api/generated/types.gen";

const GIB = 2 ** 30;

function environment(part: Partial<EnvironmentView>): EnvironmentView {
  return {
    node_id: "node-1",
    node: "workstation",
    key: "vllm-0.33.0-cuda",
    engine: "vllm",
    version: "0.33.0",
    variant: "cuda",
    origin: "installed",
    state: "ready",
    removing: false,
    path: "/var/lib/aimindserve/engines/vllm/0.33.0-cuda/bin/vllm",
    size: null,
    progress: null,
    used_by: [],
    log: [],
    reasons: [],
    allowed_actions: [],
    ...part,
  };
}

/** One of everything: in use, on its way, failed, found. */
export function firstEngines(): EnginesView {
  return {
    items: [
      environment({ size: 9.4 * GIB, used_by: ["qwen2-vl"] }),
      environment({
        key: "vllm-0.10.2-cuda",
        version: "0.10.2",
        state: "fetching",
        path: null,
        progress: { done: 1.9 * GIB, total: 4.6 * GIB, rate: null, eta: null },
        log: ["Collecting torch==2.8.0", "Downloading torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl (887.9 MB)"],
        allowed_actions: ["cancel"],
      }),
      environment({
        key: "vllm-0.18.1-cuda",
        version: "0.18.1",
        state: "failed",
        path: null,
        reasons: [
          {
            code: "wheels_not_fetched",
            params: {},
            message: "Packages of vllm-0.18.1-cuda could not be fetched: ERROR: No matching distribution found.",
            remedy: "Check network, proxy and pip's index (pip config list) on the node, then try again.",
          },
        ],
        log: ["ERROR: Could not find a version that satisfies the requirement torch==2.10.0"],
        allowed_actions: ["retry", "cancel"],
      }),
      environment({
        key: "program-3f2a",
        engine: "llama.cpp",
        version: "11434",
        origin: "found",
        path: "/usr/local/bin/llama-server",
      }),
    ],
    offers: [
      {
        name: "vllm==0.32.0+cpu",
        engine: "vllm",
        version: "0.32.0",
        variant: "cpu",
        size: 0.6 * GIB,
        cuda: null,
        driver: null,
        last_for: [],
      },
      {
        name: "vllm==0.33.0+cuda",
        engine: "vllm",
        version: "0.33.0",
        variant: "cuda",
        size: 4.3 * GIB,
        cuda: "13.0",
        driver: "580.65.06",
        last_for: [],
      },
      {
        name: "vllm==0.18.1+cuda",
        engine: "vllm",
        version: "0.18.1",
        variant: "cuda",
        size: 4.6 * GIB,
        cuda: "12.8",
        driver: "525.60.13",
        last_for: ["AyaVisionForConditionalGeneration"],
      },
      {
        name: "vllm==0.10.2+cuda",
        engine: "vllm",
        version: "0.10.2",
        variant: "cuda",
        size: 4.6 * GIB,
        cuda: "12.8",
        driver: "525.60.13",
        last_for: [
          "DonutForConditionalGeneration",
          "MllamaForConditionalGeneration",
          "MotifForCausalLM",
          "Phi4FlashForCausalLM",
        ],
      },
    ],
    nodes: [{ node_id: "node-1", node: "workstation", variant: "cuda" }],
  };
}
