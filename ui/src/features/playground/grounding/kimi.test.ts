import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("Kimi-VL's shares", () => {
  it("are clicks of an agent", () => {
    expect(readGrounding("```python\npyautogui.click(x=0.879, y=0.294)\n```")).toEqual({
      convention: "Kimi-VL",
      frame: "0-1",
      shapes: [{ kind: "point", label: "click", points: [[0.879, 0.294]] }],
    });
  });

  it("are JSON with values up to one", () => {
    const found = readGrounding('{"bbox_2d": [0.280, 0.500, 0.520, 0.700]}', "KimiVLForConditionalGeneration");
    expect(found).toMatchObject({ frame: "0-1", shapes: [{ points: [[0.28, 0.5], [0.52, 0.7]] }] }); // prettier-ignore
  });
});
