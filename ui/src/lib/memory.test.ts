import { describe, expect, it } from "vitest";
import type { DeviceView, FitReport, PlacementView } from "@/api/generated/types.gen";
import { GIB, makeDevice, makeFit, makePlace } from "@/mocks/fit";
import { barOf, barsOf } from "./memory";

const shown = (bar: { stretches: { kind: string; bytes: number }[] } | undefined): [string, number][] =>
  (bar?.stretches ?? []).map(({ kind, bytes }) => [kind, Math.round(bytes / GIB)]);

const total = (bar: { stretches: { bytes: number }[] }): number =>
  bar.stretches.reduce((all, { bytes }) => all + bytes, 0);

const MEMORY: FitReport["memory"] = [
  {
    item: "weights",
    bytes: 14 * GIB,
    high: 14 * GIB,
    place: "device",
    source: "",
    why: "The weights.",
    base: null,
    corrections: [],
  },
  {
    item: "kv_cache",
    bytes: 4 * GIB,
    high: 5 * GIB,
    place: "device",
    source: "",
    why: "The cache.",
    base: null,
    corrections: [],
  },
  {
    item: "server_host",
    bytes: 3 * GIB,
    high: 4 * GIB,
    place: "host",
    source: "",
    why: "The program.",
    base: null,
    corrections: [],
  },
];

function report(placements: PlacementView[], nearest: PlacementView | null = null): FitReport {
  return { ...makeFit("demo://tiny-vlm"), memory: MEMORY, placements, placement: placements[0] ?? null, nearest };
}

const gpu = (change: Parameters<typeof makeDevice>[0] = {}) =>
  makeDevice({
    bytes: 20 * GIB,
    allocatable: 79 * GIB,
    foreign: 2 * GIB,
    free: 47 * GIB,
    tenants: [{ deployment: "llama", bytes: 30 * GIB }],
    ...change,
  });

describe("barsOf", () => {
  it("stacks strangers, other deployments, every item, the margin and what is free", () => {
    const [bar] = barsOf(report([makePlace({ devices: [gpu()] })]));
    expect(shown(bar)).toEqual([
      ["foreign", 2],
      ["other", 30],
      ["item", 14],
      ["item", 4],
      ["margin", 2],
      ["free", 27],
    ]);
    expect(bar).toMatchObject({ over: 0, wanted: 20 * GIB, isCpu: false });
    expect(bar && total(bar)).toBe(79 * GIB);
  });

  it("has one bar for each GPU and one for the machine's memory beside them", () => {
    const host = makeDevice({ device_id: "cpu", kind: "cpu", bytes: 4 * GIB, allocatable: 100 * GIB, free: 100 * GIB });
    const bars = barsOf(report([makePlace({ devices: [gpu({ device_id: "GPU-1", index: 1 }), gpu()], host })]));
    expect(bars.map(({ index, isCpu }) => [index, isCpu])).toEqual([
      [0, false],
      [1, false],
      [0, true],
    ]);
    expect(shown(bars[2])).toEqual([
      ["item", 3],
      ["margin", 1],
      ["free", 96],
    ]);
  });

  it("counts everything on the CPU, where there is nothing beside", () => {
    const cpu = makeDevice({ kind: "cpu", bytes: 23 * GIB, allocatable: 60 * GIB, free: 60 * GIB });
    const [bar] = barsOf(report([makePlace({ kind: "cpu", devices: [cpu] })]));
    expect(shown(bar).map(([kind]) => kind)).toEqual(["item", "item", "item", "margin", "free"]);
  });

  it("goes beyond the device where there is no room", () => {
    const near = makePlace({ devices: [gpu({ bytes: 60 * GIB })] });
    const [bar] = barsOf(report([], near));
    expect(bar?.over).toBe((2 + 30 + 60 - 79) * GIB);
    expect(shown(bar).map(([kind]) => kind)).not.toContain("free");
  });

  it("puts further replicas on the same device behind the first, whole", () => {
    const place = makePlace({ devices: [gpu()] });
    const [bar, ...others] = barsOf(report([place, place]));
    expect(others).toEqual([]);
    expect(bar?.stretches.find(({ kind }) => kind === "replica")).toMatchObject({ name: "2", bytes: 20 * GIB });
    expect(bar?.wanted).toBe(40 * GIB);
  });

  it("has nothing to show where no device could be used", () => {
    expect(barsOf(report([]))).toEqual([]);
  });
});

describe("barOf", () => {
  it("shows each replica that holds memory, and never more free than there is", () => {
    const { kind, device_id: id } = gpu();
    const view: DeviceView = {
      node_id: "n",
      device: {
        id,
        kind,
        name: "H100",
        index: 0,
        memory_total: 80 * GIB,
        memory_free: 40 * GIB,
        allocatable: 79 * GIB,
        shared: true,
        cores: null,
        threads: null,
        utilization: null,
        temperature_c: null,
        driver: null,
      },
      claimed: 50 * GIB,
      used: 39 * GIB,
      foreign: 0,
      free: 29 * GIB,
      holders: [
        { deployment: "a", replica_id: "r1", phase: "ready", bytes: 20 * GIB },
        { deployment: "a", replica_id: "r2", phase: "starting", bytes: 30 * GIB },
      ],
    };
    expect(shown(barOf(view))).toEqual([
      ["other", 20],
      ["other", 30],
      ["free", 29],
    ]);
    expect(new Set(barOf(view).stretches.map((one) => one.id)).size).toBe(3);
    expect(barOf({ ...view, holders: [], foreign: 90 * GIB })).toMatchObject({ over: 11 * GIB });
  });
});
