import type { DeploymentView, DeviceView, NodeView } from "../api/generated/types.gen";
import { NOW } from "./data.ts";
import { GIB } from "./fit.ts";

function gpu(index: number): DeviceView {
  return {
    node_id: "n-1",
    device: {
      id: `GPU-${index}`,
      kind: "nvidia",
      name: "NVIDIA H100 80GB HBM3",
      index,
      memory_total: 80 * GIB,
      memory_free: 47 * GIB,
      allocatable: 79 * GIB,
      shared: true,
      cores: null,
      threads: null,
      utilization: 34,
      temperature_c: 51,
      driver: "580.95.05",
    },
    claimed: 0,
    used: index === 0 ? 32 * GIB : 0,
    foreign: index === 0 ? 2 * GIB : 0,
    free: 79 * GIB,
    holders: [],
  };
}

/** One machine with two GPUs, where the deployments run that there are. */
export function firstNodes(deployments: readonly DeploymentView[]): NodeView[] {
  const holders = deployments.flatMap(({ name, replicas }) =>
    replicas.map((replica) => ({ deployment: name, replica_id: replica.id, phase: replica.phase, bytes: 15 * GIB })),
  );
  const claimed = holders.reduce((sum, { bytes }) => sum + bytes, 0);
  const first = { ...gpu(0), claimed, holders, free: 77 * GIB - claimed };
  const cpu = { ...gpu(2), holders: [], foreign: 4 * GIB, used: 4 * GIB, free: 200 * GIB };
  return [
    {
      id: "n-1",
      hostname: "gpu-server",
      alive: true,
      last_report_at: NOW,
      desired_revision: 1,
      acked_revision: 1,
      devices: [
        first,
        gpu(1),
        {
          ...cpu,
          device: {
            ...cpu.device,
            id: "cpu",
            kind: "cpu",
            name: "AMD EPYC 9354",
            cores: 32,
            threads: 64,
            driver: null,
          },
        },
      ],
      engines: [
        {
          engine: "llama.cpp",
          flavour: "llama-server",
          version: "11434",
          path: "/usr/bin/llama-server",
          gpu_kinds: [],
        },
      ],
      notes: [],
      labels: {},
      given_labels: {},
      drained_at: null,
    },
  ];
}
