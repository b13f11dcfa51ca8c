import { describe, expect, it } from "vitest";
import { catalogCards } from "@/mocks/catalog";
import { bestOf, byModel, deployAddress, precision, sizeRange } from "./rules";
import { catalogSearch, isNarrow, wishOf } from "./search";

const [qwen, llama] = catalogCards();

describe("the rules of the catalog", () => {
  it("name sizes, variants and precisions", () => {
    if (!qwen || !llama) throw new Error("two families");
    expect(bestOf(qwen)?.id).toBe("Qwen2-VL-2B-Instruct:bf16");
    expect(bestOf({ ...qwen, best: "gone" })).toBeUndefined();
    expect(sizeRange(qwen.variants)).toBe("2.2B");
    expect(sizeRange([...qwen.variants, ...llama.variants])).toBe("2.2B – 88.6B");
    expect(byModel([...qwen.variants, ...llama.variants]).map(([name, { length }]) => [name, length])).toEqual([
      ["Qwen2-VL-2B-Instruct", 2],
      ["Llama-3.2-90B-Vision-Instruct", 1],
    ]);
    expect(qwen.variants.map(precision)).toEqual(["BF16", "Q4_K_M"]);
  });

  it("lead to the form of the right hub", () => {
    const variant = qwen?.variants[1];
    if (!qwen || !variant) throw new Error("a variant");
    expect(deployAddress(qwen, { ...variant, source: "ms://a/b:Q8_0", arguments: ["--x=1"] })).toEqual({
      deploy: "ms",
      repo: "a/b",
      files: "Q8_0",
      args: ["--x=1"],
    });
  });

  it("read addresses, whatever stands in them", () => {
    expect(catalogSearch({ q: 4, capability: "flying", fits: "yes", size: "huge", source: "hf", open: "" })).toEqual({
      q: "4",
    });
    expect(isNarrow({ source: "ms" })).toBe(false);
    expect(isNarrow({ size: "tiny" })).toBe(true);
    expect(wishOf({ size: "large" })).toEqual({
      q: "",
      capability: null,
      fits: false,
      source: "hf",
      least: 4e10,
      most: null,
    });
  });
});
