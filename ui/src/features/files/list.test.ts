import { describe, expect, it } from "vitest";
import { firstFiles, makeFiles } from "@/mocks/filesData";
import { entryId, isLocal, knownSources, shelves, validSource } from "./list";
import { filesSearch } from "./search";

const names = (search: Parameters<typeof shelves>[1]): string[][] =>
  shelves(firstFiles(), search).map((shelf) => shelf.items.map((item) => item.name));

describe("shelves", () => {
  it("has every machine, empty ones too, each by name", () => {
    const [first, second] = shelves(firstFiles(), {});
    expect(first?.store.node).toBe("gpu-server");
    expect(first?.items.map((item) => item.name)).toEqual([
      "InternVL3-8B-GGUF",
      "Phi-3.5-vision-instruct",
      "Pixtral-12B-2409",
      "Qwen2-VL-2B-Instruct-GGUF",
      "Qwen2-VL-7B-Instruct",
      "SmolLM2",
    ]);
    expect(second).toMatchObject({ items: [], count: 0 });
  });

  it("keeps what matches every word, in name, source, quantization or user", () => {
    expect(names({ q: "BARTOWSKI q4_k" })).toEqual([["Qwen2-VL-2B-Instruct-GGUF"], []]);
    expect(names({ q: "7b-long" })).toEqual([["Qwen2-VL-7B-Instruct"], []]);
    expect(names({ q: "ms://" })).toEqual([["Phi-3.5-vision-instruct"], []]);
    expect(names({ q: "llava" })).toEqual([[], []]);
  });

  it("filters by state and machine", () => {
    expect(names({ state: "paused" })).toEqual([["Phi-3.5-vision-instruct"], []]);
    expect(names({ node: "n-2" })).toEqual([[]]);
  });

  it("sorts by size, and what needs a person first", () => {
    expect(names({ sort: "size" })[0]?.[0]).toBe("Pixtral-12B-2409");
    expect(names({ sort: "state" })[0]?.slice(0, 3)).toEqual([
      "Pixtral-12B-2409",
      "InternVL3-8B-GGUF",
      "Qwen2-VL-7B-Instruct",
    ]);
  });
});

describe("entryId", () => {
  it("tells the same files on two machines apart", () => {
    expect(entryId(makeFiles())).not.toBe(entryId(makeFiles({ node_id: "n-2" })));
  });
});

describe("sources", () => {
  it("offers those of hubs, each once", () => {
    const source = "hf://Qwen/Qwen2-VL-7B-Instruct";
    const offered = knownSources(firstFiles(), [source, "demo://tiny-vlm", "hf://a/b"]);
    expect(offered.filter((text) => text === source)).toHaveLength(1);
    expect(offered[0]).toBe(source);
    expect(offered).toContain("hf://a/b");
    expect(offered.every((text) => /^(hf|ms):/.test(text))).toBe(true);
  });

  it.each(["hf://org/name", " hf://org/name@main:Q4_K_M ", "ms://org/na.me/file.gguf", "/models/m.gguf", "file:///m"])(
    "takes %s",
    (text) => {
      expect(validSource(text)).toBe(true);
    },
  );

  it.each(["", "hf://", "hf://org", "org/name", "models/m.gguf", "https://huggingface.co/org/name", "/", "hf://o/a b"])(
    "asks again for %j",
    (text) => {
      expect(validSource(text)).toBe(false);
    },
  );

  it("knows a path", () => {
    expect([isLocal("/m.gguf"), isLocal("file:///m.gguf"), isLocal("hf://a/b")]).toEqual([true, true, false]);
  });
});

describe("filesSearch", () => {
  it("keeps what the page knows and drops the rest", () => {
    const address = { q: 7, state: "paused", node: "n-1", sort: "size", open: "n-1/k", add: true, other: "x" };
    expect(filesSearch(address)).toEqual({
      q: "7",
      state: "paused",
      node: "n-1",
      sort: "size",
      open: "n-1/k",
      add: true,
    });
    expect(filesSearch({ q: "", state: "gone", sort: "colour", add: "yes", node: undefined })).toEqual({});
  });
});
