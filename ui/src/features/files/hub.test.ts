import { describe, expect, it } from "vitest";
import { exactSource, modelPage, shortRevision, sourceText } from "./hub";

const SHA = "9f2b8d6c41e07a35b1c9d84e6f20a7b3c5d1e8f9";

describe("modelPage", () => {
  it.each([
    ["hf://org/name:Q4_K_M", SHA, `https://huggingface.co/org/name/tree/${SHA}`],
    ["hf://org/name@main", null, "https://huggingface.co/org/name"],
    ["hf://org/name/folder/model.gguf", null, "https://huggingface.co/org/name"],
    ["ms://org/name", "v1/x", "https://modelscope.cn/models/org/name/files?version=v1%2Fx"],
  ])("%s → its page", (source, revision, url) => {
    expect(modelPage(source, revision)).toEqual({ repository: "org/name", url });
  });

  it.each(["file:///models/m.gguf", "demo://tiny-vlm", "javascript:alert(1)", "hf://org"])("%s has none", (source) => {
    expect(modelPage(source, null)).toBeNull();
  });
});

describe("exactSource", () => {
  it.each([
    ["hf://org/name", `hf://org/name@${SHA}:Q8_0`],
    ["hf://org/name:Q4_K_M", `hf://org/name@${SHA}:Q4_K_M`],
    ["ms://org/name/a/b.gguf", `ms://org/name@${SHA}/a/b.gguf`],
    ["hf://org/name@main", "hf://org/name@main:Q8_0"],
    [`hf://org/name@${SHA}`, `hf://org/name@${SHA}:Q8_0`],
    ["file:///models/m.gguf", "file:///models/m.gguf"],
  ])("%s → %s", (source, exact) => {
    const stored = { source, revision: SHA, quantization: "Q8_0", files: [{ path: "a/b.gguf" }] };
    expect(exactSource(stored)).toBe(exact);
  });

  it("names no quantization where the repository has one checkpoint", () => {
    const stored = { source: "hf://org/name", revision: null, quantization: "fp8", files: [{ path: "m.safetensors" }] };
    expect(exactSource(stored)).toBe("hf://org/name");
  });
});

describe("the words of a source", () => {
  it("are short for a commit and whole for a name", () => {
    expect(shortRevision(SHA)).toBe("9f2b8d6c");
    expect(shortRevision("master")).toBe("master");
    expect(sourceText("file:///models/m.gguf")).toBe("/models/m.gguf");
    expect(sourceText(`hf://org/name@${SHA}:Q8_0`)).toBe("hf://org/name:Q8_0");
  });
});
