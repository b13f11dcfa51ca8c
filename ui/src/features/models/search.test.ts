import { describe, expect, it } from "vitest";
import { modelsSearch, withoutForm } from "./search";

describe("modelsSearch", () => {
  it("keeps what the page knows and drops the rest", () => {
    expect(modelsSearch({ open: "m", tab: "events", deploy: "ftp", edit: 3, other: "x" })).toEqual({
      open: "m",
      tab: "events",
    });
    expect(modelsSearch({})).toEqual({});
  });

  it("keeps what is looked for on a hub, until the form closes", () => {
    const hub = {
      deploy: "hf",
      q: "qwen",
      gguf: true,
      vision: true,
      size: "small",
      sort: "likes",
      repo: "org/repo",
      files: "Q4_K_M",
    };
    expect(modelsSearch(hub)).toEqual(hub);
    expect(modelsSearch({ ...hub, gguf: false, sort: "luck" })).not.toHaveProperty("gguf");
    expect(modelsSearch({ ...hub, size: "vast" })).not.toHaveProperty("size");
    expect(withoutForm(modelsSearch({ ...hub, open: "m", source: "hf://a/b" }))).toEqual({ open: "m" });
  });
});
