import { describe, expect, it } from "vitest";
import type { AlternativeView } from "@/api/generated/types.gen";
import { makeDeployment, makeReplica } from "@/mocks/data";
import { effectOf, roomOf, wantsRoom } from "./room";

const NOTHING: AlternativeView = { kind: "context", message: "", patch: {}, stop: [], others: {} };
const claims = [
  { device_id: "GPU-0", bytes: 100, exclusive: false },
  { device_id: "cpu", bytes: 20, exclusive: false },
];
const TWO = makeDeployment({
  name: "llama",
  wanted: 2,
  replicas: [makeReplica({ id: "a", claims }), makeReplica({ id: "b", claims }), makeReplica({ id: "c", claims: [] })],
});

describe("roomOf", () => {
  it("stops first, then changes others", () => {
    const change = { ...NOTHING, stop: ["a"], others: { b: { replicas: 1 } } };
    expect(roomOf(change)).toEqual([
      { name: "a", patch: null },
      { name: "b", patch: { replicas: 1 } },
    ]);
    expect([wantsRoom(change), wantsRoom({ ...NOTHING, patch: { replicas: 1 } })]).toEqual([true, false]);
  });
});

describe("effectOf", () => {
  it("counts what ends and what comes free", () => {
    expect(effectOf({ name: "llama", patch: null }, TWO)).toMatchObject({ kind: "stop", ending: 2, bytes: 240 });
    expect(effectOf({ name: "llama", patch: { replicas: 1 } }, TWO)).toMatchObject({
      kind: "scale",
      ending: 1,
      staying: 1,
      bytes: 120,
    });
    expect(effectOf({ name: "llama", patch: { parameters: ["--a=1", "--b"] } }, TWO)).toMatchObject({
      kind: "restart",
      ending: 2,
      parameters: "--a=1 --b",
    });
  });

  it("knows nothing of a deployment that is gone", () => {
    expect(effectOf({ name: "gone", patch: null }, undefined)).toMatchObject({ ending: 0, bytes: 0 });
  });
});
