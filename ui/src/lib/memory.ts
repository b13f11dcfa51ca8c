import type { DeviceView, FitReport, MemoryItemView, PlacedDeviceView, PlacementView } from "@/api/generated/types.gen";

/** Lines of the estimate that the page has names for; an engine may add others, which show as they are. */
export const ITEMS = [
  "weights",
  "vision_weights",
  "projector",
  "kv_cache",
  "compute",
  "vision_compute",
  "activation",
  "encoder_peak",
  "encoder_cache",
  "cuda_graphs",
  "non_torch",
  "overhead",
  "weights_host",
  "kv_cache_host",
  "compute_host",
  "overhead_host",
  "prompt_cache",
  "picture_cache",
  "server_host",
] as const;
export type Item = (typeof ITEMS)[number];

export const isItem = (code: string): code is Item => (ITEMS as readonly string[]).includes(code);

export type Kind = "foreign" | "other" | "item" | "margin" | "replica" | "free";

/**
 * A stretch of a device's memory. `name`: the deployment, the item's code, or the number of a further replica. `why` and
 * `high` (bytes that are hardly ever exceeded) of items.
 */
export interface Stretch {
  id: string;
  kind: Kind;
  bytes: number;
  name: string;
  why: string;
  high: number | null;
}

/** A device's memory from end to end. `over`: bytes that are wanted beyond the `allocatable` ones. */
export interface Bar {
  id: string;
  node: string;
  device: string;
  index: number;
  isCpu: boolean;
  allocatable: number;
  /** What this deployment claims there, and what could be claimed before. */
  wanted: number;
  free: number;
  over: number;
  stretches: Stretch[];
}

const stretch = (kind: Kind, bytes: number, name = "", id = kind + name): Stretch => ({
  id,
  kind,
  bytes,
  name,
  why: "",
  high: null,
});

const sum = (stretches: readonly { bytes: number }[]): number => stretches.reduce((all, { bytes }) => all + bytes, 0);

/** With what is free behind the others; stretches without bytes are left out. */
function closed(taken: readonly Stretch[], allocatable: number): { stretches: Stretch[]; over: number } {
  const used = sum(taken);
  const all = [...taken, stretch("free", Math.max(0, allocatable - used))];
  return { stretches: all.filter(({ bytes }) => bytes > 0), over: Math.max(0, used - allocatable) };
}

/** The first replica line by line with the margin up to its claim; of further ones only the claim is known. */
function ownStretches(number: number, claim: number, items: readonly MemoryItemView[]): Stretch[] {
  const margin = claim - sum(items);
  if (number > 1 || margin < 0) return [stretch("replica", claim, String(number))];
  const lines = items.map(({ item, bytes, why, high }): Stretch => ({
    id: item,
    kind: "item",
    bytes,
    name: item,
    why,
    high,
  }));
  return [...lines, stretch("margin", margin)];
}

interface Wish {
  device: PlacedDeviceView;
  place: PlacementView;
  items: readonly MemoryItemView[];
}

/** What each replica wants of each device: on the CPU everything, on a GPU what lies there and what lies beside it. */
function wishesOf({ placements, nearest, memory }: FitReport): Wish[] {
  const places = nearest ? [...placements, nearest] : placements;
  const at = (wanted: MemoryItemView["place"]) => memory.filter(({ place }) => place === wanted);
  return places.flatMap((place) => {
    const items = place.kind === "cpu" ? memory : at("device");
    const devices = place.devices.map((device): Wish => {
      return { device, place, items: device.memory.length > 0 ? device.memory : items };
    });
    return place.host ? [...devices, { device: place.host, place, items: at("host") }] : devices;
  });
}

/** The devices that a deployment would use, each with who holds what there and what its replicas would add. */
export function barsOf(report: FitReport): Bar[] {
  const byDevice = new Map<string, Wish[]>();
  for (const wish of wishesOf(report)) {
    const id = `${wish.place.node_id}/${wish.device.device_id}`;
    byDevice.set(id, [...(byDevice.get(id) ?? []), wish]);
  }
  const bars = [...byDevice].flatMap(([id, wishes]): Bar[] => {
    const [first] = wishes;
    if (!first) return [];
    const { device, place } = first;
    const others = device.tenants.map(({ deployment, bytes }) => stretch("other", bytes, deployment));
    const own = wishes.flatMap(({ device: { bytes }, items }, index) => ownStretches(index + 1, bytes, items));
    return [
      {
        id,
        node: place.node,
        device: device.device,
        index: device.index,
        isCpu: device.kind === "cpu",
        allocatable: device.allocatable,
        wanted: sum(wishes.map((wish) => wish.device)),
        free: device.free,
        ...closed([stretch("foreign", device.foreign), ...others, ...own], device.allocatable),
      },
    ];
  });
  // Machines as they came, GPUs in their order, the machine's own memory last.
  const nodes = [...new Set(bars.map((bar) => bar.node))];
  const rank = (bar: Bar): number => (bar.isCpu ? Infinity : bar.index);
  return nodes.flatMap((node) => bars.filter((bar) => bar.node === node).sort((a, b) => rank(a) - rank(b)));
}

/** A device as it is now: who holds what. */
export function barOf({ device, foreign, holders }: DeviceView): { stretches: Stretch[]; over: number } {
  const others = holders.map(({ deployment, bytes, replica_id: id }) => stretch("other", bytes, deployment, id));
  return closed([stretch("foreign", foreign), ...others], device.allocatable);
}
