import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("Qwen2-VL's tags", () => {
  it("name an object and its box", () => {
    const text =
      "<|object_ref_start|>the eyes on a giraffe<|object_ref_end|><|box_start|>(176,106),(232,160)<|box_end|>";
    expect(readGrounding(text)).toEqual({
      convention: "Qwen2-VL",
      frame: "0-1000",
      shapes: [{ kind: "box", label: "the eyes on a giraffe", points: [[176, 106], [232, 160]] }], // prettier-ignore
    });
  });

  it("give one name to several boxes, and the next name to the next", () => {
    const cat = "<|object_ref_start|>cat<|object_ref_end|>";
    const dog = "<|object_ref_start|>dog<|object_ref_end|>";
    const at = (text: string): string => `<|box_start|>${text}<|box_end|>`;
    const found = readGrounding(`${cat}${at("(1,2),(3,4)")}${at("(5,6),(7,8)")} and ${dog}${at("(9,10),(11,12)")}`);
    expect(found?.shapes.map((shape) => shape.label)).toEqual(["cat", "cat", "dog"]);
  });

  it("have points and boxes without a name", () => {
    const found = readGrounding("A cup: <|box_start|>(10,20),(30,40)<|box_end|>, <|point_start|>(7,8)<|point_end|>");
    expect(found?.shapes).toMatchObject([
      { kind: "box", label: "A cup" },
      { kind: "point", points: [[7, 8]] },
    ]);
  });

  it("are read where the engine left the tags out", () => {
    expect(readGrounding("the cat(120,30),(480,900)")).toMatchObject({
      frame: "0-1000",
      shapes: [{ kind: "box", label: "the cat", points: [[120, 30], [480, 900]] }], // prettier-ignore
    });
  });
});
