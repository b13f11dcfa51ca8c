import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

const LIST =
  '```json\n[\n\t{"bbox_2d": [15, 20, 300, 400], "label": "cat"},\n\t{"bbox_2d": [5, 6, 7, 8], "label": "dog"}\n]\n```';

describe("the JSON of Qwen2.5-VL and Qwen3-VL", () => {
  it("means thousandths for one, pixels for the other", () => {
    expect(readGrounding(LIST, "qwen3vl hf://Qwen/Qwen3-VL-8B-Instruct")?.frame).toBe("0-1000");
    expect(readGrounding(LIST, "qwen2vl hf://ggml-org/Qwen2.5-VL-3B-Instruct-GGUF")?.frame).toBe("pixels");
    expect(readGrounding(LIST, "Qwen2_5_VLForConditionalGeneration")?.frame).toBe("pixels");
  });

  it("is pixels where thousandths cannot be", () => {
    expect(readGrounding('{"bbox_2d": [15, 20, 1300, 400], "label": "cat"}')?.frame).toBe("pixels");
  });

  it("has labels, points and texts", () => {
    expect(readGrounding(LIST)?.shapes.map((shape) => shape.label)).toEqual(["cat", "dog"]);
    const found = readGrounding(
      '[{"point_2d": [11, 22], "label": "nose"}, {"bbox_2d": [1, 2, 3, 4], "text_content": "STOP"}]',
    );
    expect(found?.shapes).toMatchObject([
      { kind: "point", label: "nose", points: [[11, 22]] },
      { kind: "box", label: "STOP" },
    ]);
  });

  it("is read as far as it goes when the answer was cut off", () => {
    expect(readGrounding(LIST.slice(0, 75))?.shapes).toHaveLength(1);
  });

  it("is read with Python's quotes", () => {
    expect(readGrounding("[{'bbox_2d': [1, 2, 3, 4], 'label': 'cat'}]")?.shapes).toMatchObject([{ label: "cat" }]);
  });

  it("is not read out of other objects", () => {
    expect(readGrounding('{"bbox": "none", "point": [1], "items": [1, 2, 3, 4]}')).toBeNull();
    expect(readGrounding("function f() { return [1, 2, 3, 4]; }")).toBeNull();
  });
});
