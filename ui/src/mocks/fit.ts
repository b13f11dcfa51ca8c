import type { FitReport, PlacedDeviceView, PlacementView, ReasonView } from "../api/generated/types.gen";
import { MEMORY, PARAMETERS, TOTAL } from "./data.ts";

export const GIB = 1024 ** 3;

export function makeDevice(change: Partial<PlacedDeviceView> = {}): PlacedDeviceView {
  return {
    device_id: "GPU-0",
    device: "NVIDIA H100 80GB HBM3",
    kind: "nvidia",
    index: 0,
    memory: [],
    bytes: TOTAL,
    before: 0,
    after: TOTAL,
    foreign: 0,
    free: 79 * GIB,
    allocatable: 79 * GIB,
    tenants: [],
    ...change,
  };
}

export function makePlace(change: Partial<PlacementView> = {}): PlacementView {
  const [device = makeDevice()] = change.devices ?? [];
  const { device_id, device: name, kind, bytes, free, allocatable } = device;
  return {
    node_id: "n-1",
    node: "gpu-server",
    level: kind === "cpu" ? "cpu" : "whole",
    device_id,
    device: name,
    kind,
    bytes,
    free,
    allocatable,
    devices: [device],
    host: null,
    ...change,
  };
}

const NOTHING: FitReport = {
  verdict: "no",
  engine: null,
  engine_version: null,
  engine_why: null,
  architecture: null,
  capabilities: [],
  context_length: null,
  gpus: 0,
  memory: [],
  memory_total: 0,
  memory_high: 0,
  host_high: 0,
  certain: false,
  parameters: [],
  placement: null,
  placements: [],
  nearest: null,
  refusals: [],
  alternatives: [],
  reasons: [],
  notes: [],
};

function notFound(path: string): ReasonView {
  return {
    code: "source_not_found",
    params: { path },
    message: `There is no file or folder ${path} on this machine.`,
    remedy: "Check the path; it must exist on the machine that runs the model, not on the one with the browser.",
  };
}

/** Paths that do not end in .gguf are not there; everything else fits beside a deployment on the only GPU. */
export function makeFit(source: string): FitReport {
  if (source.startsWith("/") && !source.endsWith(".gguf")) return { ...NOTHING, reasons: [notFound(source)] };
  const tenants = [{ deployment: "qwen2-vl-2b", bytes: 30 * GIB }];
  const placement = makePlace({
    devices: [makeDevice({ tenants, before: 30 * GIB, after: 30 * GIB + TOTAL, free: 47 * GIB, foreign: 2 * GIB })],
  });
  return {
    ...NOTHING,
    verdict: "fits",
    engine: "llama.cpp",
    architecture: "qwen2vl",
    capabilities: ["chat", "vision"],
    context_length: 2048,
    gpus: 1,
    memory: MEMORY,
    memory_total: TOTAL,
    memory_high: TOTAL,
    certain: true,
    parameters: PARAMETERS,
    placement,
    placements: [placement],
  };
}
