import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("Florence-2's tokens", () => {
  it("follow their label, several boxes under one", () => {
    const found = readGrounding(
      "car<loc_52><loc_332><loc_932><loc_774>wheel<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_9><loc_10><loc_11><loc_12><loc_13>",
    );
    expect(found).toMatchObject({ convention: "Florence-2", frame: "0-999" });
    expect(found?.shapes.map((shape) => [shape.label, shape.points[0]])).toEqual([
      ["car", [52, 332]],
      ["wheel", [1, 2]],
      ["wheel", [5, 6]],
      ["wheel", [10, 11]],
    ]);
  });

  it("are corners of a line of text by eights, and polygons", () => {
    const line = readGrounding("STOP<loc_1><loc_2><loc_9><loc_2><loc_9><loc_5><loc_1><loc_5>");
    expect(line?.shapes).toEqual([{ kind: "polygon", label: "STOP", points: [[1, 2], [9, 2], [9, 5], [1, 5]] }]); // prettier-ignore
    expect(readGrounding("<loc_1><loc_2><loc_9><loc_2><loc_9><loc_5>")?.shapes[0]?.kind).toBe("polygon");
  });
});
