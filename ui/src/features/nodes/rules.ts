import type { DeviceView, NodeView } from "@/api/generated/types.gen";

/** GPUs in their order, then the processor. */
export function byImportance(devices: readonly DeviceView[]): DeviceView[] {
  const rank = ({ device }: DeviceView): number => (device.kind === "cpu" ? Infinity : (device.index ?? 0));
  return [...devices].sort((a, b) => rank(a) - rank(b));
}

/** Engines with their versions, one after the other: `llama-server 11434, vllm 0.11.0`. */
export function engineNames(engines: NodeView["engines"]): string {
  return engines.map(({ flavour, version }) => [flavour, version].filter(Boolean).join(" ")).join(", ");
}
