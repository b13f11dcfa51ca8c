import { describe, expect, it } from "vitest";
import { firstNodes } from "@/mocks/nodes";
import { byImportance, engineNames } from "./rules";

const [node] = firstNodes([]);

describe("byImportance", () => {
  it("puts GPUs before the processor, in their order", () => {
    const devices = [...(node?.devices ?? [])].reverse();
    expect(byImportance(devices).map(({ device }) => device.id)).toEqual(["GPU-0", "GPU-1", "cpu"]);
  });
});

describe("engineNames", () => {
  it("names each with its version", () => {
    expect(engineNames(node?.engines ?? [])).toBe("llama-server 11434");
    expect(engineNames([])).toBe("");
  });
});
