import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("GLM-V's boxes", () => {
  it("are thousandths between its tags for answers", () => {
    expect(readGrounding("The cat is at <|begin_of_box|>[[10, 20, 300, 400]]<|end_of_box|>.")).toMatchObject({
      convention: "GLM-V",
      frame: "0-1000",
      shapes: [{ points: [[10, 20], [300, 400]] }], // prettier-ignore
    });
  });

  it("are not answers that are only marked as such", () => {
    expect(readGrounding("<|begin_of_box|>42, 43, 44, 45 apples<|end_of_box|>")).toBeNull();
    expect(readGrounding("<|begin_of_box|>1 2 3 4<|end_of_box|>")).toBeNull();
  });

  it("name x first in box_2d", () => {
    expect(
      readGrounding('{"box_2d": [10, 20, 30, 40]}', "Glm4vForConditionalGeneration")?.shapes[0]?.points[0],
    ).toEqual([10, 20]);
  });
});
