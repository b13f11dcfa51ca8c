import type { DeploymentView, MemoryHistoryView, ReasonView } from "../api/generated/types.gen";
import { makeDeployment, makeReplica, NOW } from "./data.ts";

const MIB = 1024 ** 2;

const figure = (item: string, measured: number, estimated: number | null, high = estimated) => ({
  item,
  device_id: "cpu",
  device: "AMD EPYC 9354",
  measured: measured * MIB,
  estimated: estimated === null ? null : estimated * MIB,
  high: high === null ? null : high * MIB,
});

/** What starts took: every deployment of the mock was measured once. */
export const MEASURED: MemoryHistoryView = {
  starts: [
    {
      replica_id: "r-7f3k2a",
      attempt: 1,
      at: NOW - 58,
      engine: "llama.cpp",
      engine_version: "2026.10.11549",
      cache_tokens: null,
      items: [
        figure("weights", 3.5, 3.5),
        figure("projector", 1.8, 1.8),
        figure("kv_cache", 16, 16),
        figure("compute", 11, 20, 27),
        figure("vision_compute", 35.6, 34.2, 35.6),
        figure("total", 190, 170.2, 196),
      ],
    },
  ],
  corrections: [
    {
      engine: "llama.cpp",
      engine_version: "2026.10.11549",
      architecture: "qwen2vl",
      on_gpu: false,
      item: "vision_compute",
      factor: 1.042,
      starts: 3,
      ratios: [1.041, 1.042, 1.042],
      at: NOW - 58,
    },
  ],
};

const SHORT: ReasonView = {
  code: "start_memory_short",
  params: { part: "kv_cache" },
  message: "The engine ran out of memory at its start: there was no room for the KV cache.",
  remedy: "It is tried once more with less where you left the choice to aiMindServe; else set a shorter context.",
};
const REFUSED: ReasonView = {
  code: "memory_not_retried",
  params: { flag: "--ctx-size", before: 65536, after: 32768 },
  message: "It is not tried again by itself: you set --ctx-size to 65536, and what you set is not changed.",
  remedy: "Set --ctx-size=32768 (or remove --ctx-size) and save.",
};

/** A deployment whose own parameters need more memory than there is. */
export function makeShort(): DeploymentView {
  const replica = makeReplica({ id: "r-s1", deployment: "too-long", phase: "failed", reasons: [SHORT], pid: null });
  return {
    ...makeDeployment({ name: "too-long", phase: "failed", reasons: [SHORT, REFUSED], replicas: [replica] }),
    offer: {
      kind: "less",
      message: "Half of what found no room: --ctx-size=32768",
      patch: { parameters: ["--ctx-size=32768"] },
    },
  };
}
