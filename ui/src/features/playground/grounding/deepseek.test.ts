import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("DeepSeek-VL2's tags", () => {
  it("count to 999, several boxes under one name", () => {
    const found = readGrounding("<|ref|>dogs<|/ref|><|det|>[[81, 52, 569, 906], [10, 20, 30, 40]]<|/det|>");
    expect(found).toMatchObject({ convention: "DeepSeek-VL2", frame: "0-999" });
    expect(found?.shapes).toHaveLength(2);
    expect(found?.shapes[0]).toEqual({ kind: "box", label: "dogs", points: [[81, 52], [569, 906]] }); // prettier-ignore
  });

  it("stand in front of each paragraph that DeepSeek-OCR reads", () => {
    const found = readGrounding(
      "<|ref|>title<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n# One\n<|ref|>text<|/ref|><|det|>[[5, 6, 7, 8]]<|/det|>\nTwo",
    );
    expect(found?.shapes.map((shape) => shape.label)).toEqual(["title", "text"]);
  });
});
