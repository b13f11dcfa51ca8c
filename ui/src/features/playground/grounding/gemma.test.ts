import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("Gemma's JSON", () => {
  it("names y first", () => {
    expect(readGrounding('```json\n[{"box_2d": [100, 200, 300, 400], "label": "cat"}]\n```', "gemma3")).toEqual({
      convention: "JSON",
      frame: "0-1000",
      shapes: [{ kind: "box", label: "cat", points: [[200, 100], [400, 300]] }], // prettier-ignore
    });
    expect(readGrounding('[{"point": [100, 200], "label": "nose"}]', "gemma3")?.shapes[0]?.points).toEqual([
      [200, 100],
    ]);
  });
});
