import { describe, expect, it } from "vitest";
import { makeDeployment } from "@/mocks/data";
import { chooseModel, defaultSampling, isDemo } from "./models";

const demo = makeDeployment({ name: "tiny-vlm", phase: "starting" });
const text = makeDeployment({ name: "text", phase: "ready", capabilities: ["chat"], source: "file:///m.gguf" });
const vision = makeDeployment({ name: "vision", phase: "ready", source: "file:///v.gguf" });

describe("chooseModel", () => {
  it("keeps to the wish", () => {
    expect(chooseModel([text, demo], "tiny-vlm")).toBe(demo);
  });

  it("prefers what is ready and sees", () => {
    expect(chooseModel([demo, text, vision], undefined)).toBe(vision);
    expect(chooseModel([demo, text], "gone")).toBe(text);
    expect(chooseModel([], undefined)).toBeUndefined();
  });
});

describe("defaultSampling", () => {
  it("asks the demo model without chance", () => {
    expect(isDemo(demo)).toBe(true);
    expect(defaultSampling(demo).temperature).toBe(0);
    expect(defaultSampling(vision).temperature).toBeGreaterThan(0);
  });
});
