import { describe, expect, it } from "vitest";
import {
  emptyForm,
  formFor,
  formOf,
  freeName,
  patchOf,
  sameProgram,
  specOf,
  suggestName,
  validName,
  withPatch,
} from "./spec";

const SPEC = {
  name: "m",
  source: "file:///m.gguf",
  projector: "mmproj-F16.gguf",
  engine: "auto" as const,
  engine_version: null,
  parameters: [],
  replicas: 2,
  placement: { nodes: ["n"], devices: [], strategy: "spread" as const, cpu: "auto" as const, labels: {} },
  scaling: { minimum: null, queue: null, idle_seconds: 600, hold_seconds: 60 },
  env: { A: "b" },
};

describe("formFor", () => {
  it.each([
    ["hf://bartowski/Qwen2-VL-2B-Instruct-GGUF@9f2b:Q4_K_M", "hf", "Qwen2-VL-2B-Instruct"],
    ["ms://org/name", "ms", "name-2"],
    ["file:///models/v@1/m.gguf", "local", "m"],
  ])("%s is a form of its kind with a free name", (source, kind, name) => {
    expect(formFor(source, ["name"])).toMatchObject({ kind, name, path: source.replace("file://", "") });
  });
});

describe("suggestName", () => {
  it.each([
    ["/models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "Qwen2-VL-2B-Instruct-Q4_K_M"],
    ["/models/my model/", "my-model"],
    ["/models/.hidden", "hidden"],
    ["/", ""],
    ["bartowski/Qwen2-VL-2B-Instruct-GGUF", "Qwen2-VL-2B-Instruct"],
    [`/m/${"x".repeat(80)}`, "x".repeat(63)],
  ])("%s → %s", (path, name) => {
    expect(suggestName(path)).toBe(name);
    if (name) expect(validName(name)).toBe(true);
  });
});

describe("freeName", () => {
  it("counts up", () => {
    expect(freeName("a", [])).toBe("a");
    expect(freeName("a", ["a", "a-2"])).toBe("a-3");
  });
});

describe("specOf", () => {
  it("waits for a path and a name", () => {
    const form = emptyForm("local", []);
    expect(specOf(form)).toBeNull();
    expect(specOf({ ...form, path: "/m.gguf" })).toBeNull();
    expect(specOf({ ...form, path: " /m.gguf ", name: "m", parameters: [" --ctx-size=4096 ", " "] })).toEqual({
      name: "m",
      source: "/m.gguf",
      projector: null,
      engine: "auto",
      replicas: 1,
      parameters: ["--ctx-size=4096"],
      placement: { nodes: [], devices: [], strategy: "spread", cpu: "auto", labels: {} },
      scaling: { minimum: null, queue: null, idle_seconds: 600, hold_seconds: 60 },
    });
  });

  it("keeps what the form does not show", () => {
    const edited = specOf({ ...formOf(SPEC), replicas: 3 }, SPEC);
    expect(edited).toEqual({ ...SPEC, source: "/m.gguf", replicas: 3 });
    expect(edited && patchOf(edited)).not.toHaveProperty("name");
  });

  it("knows a hub's source from a path", () => {
    const source = "hf://org/repo@abc:Q4_K_M";
    const hub = { ...formOf({ ...SPEC, source }), replicas: 2 };
    expect(hub).toMatchObject({ kind: "hf", path: source });
    expect(specOf(hub, { ...SPEC, source })).toMatchObject({ source, replicas: 2 });
  });
});

describe("withPatch", () => {
  const form = { ...emptyForm("hf", []), path: "hf://org/name", projector: "mmproj-a.gguf" };

  it("sets fields of the spec, and nothing that a form has not", () => {
    const placement = { nodes: [], devices: ["GPU-1"], strategy: "pack" as const };
    expect(withPatch(form, { parameters: ["--x=1"], placement, gone: 1 })).toEqual({
      ...form,
      parameters: ["--x=1"],
      placement,
    });
  });

  it("goes to another source without the projector of the one before", () => {
    expect(withPatch(form, { source: "hf://org/other:Q4_K_M" })).toMatchObject({
      path: "hf://org/other:Q4_K_M",
      projector: null,
    });
  });
});

describe("sameProgram", () => {
  it("only lets the number of replicas change", () => {
    const again = specOf(formOf(SPEC), SPEC);
    if (!again) throw new Error("no spec");
    expect(sameProgram(SPEC, { ...again, replicas: 7 })).toBe(true);
    expect(sameProgram(SPEC, { ...again, parameters: ["--x"] })).toBe(false);
    const placement = { ...SPEC.placement, strategy: "pack" as const };
    expect(sameProgram(SPEC, { ...again, placement })).toBe(false);
  });
});
