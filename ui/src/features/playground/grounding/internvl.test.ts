import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("tags <ref> and <box>", () => {
  it("are InternVL's with brackets", () => {
    const found = readGrounding("<ref>the white cat</ref><box>[[12, 34, 567, 890], [1, 2, 3, 4]]</box>");
    expect(found).toMatchObject({ convention: "InternVL", frame: "0-1000" });
    expect(found?.shapes).toEqual([
      { kind: "box", label: "the white cat", points: [[12, 34], [567, 890]] }, // prettier-ignore
      { kind: "box", label: "the white cat", points: [[1, 2], [3, 4]] }, // prettier-ignore
    ]);
  });

  it("are Qwen-VL's with parentheses and MiniCPM-V's with spaces", () => {
    const box = [[5, 6], [70, 80]]; // prettier-ignore
    expect(readGrounding("<ref>cat</ref><box>(5,6),(70,80)</box>")?.shapes[0]).toMatchObject({
      label: "cat",
      points: box,
    });
    expect(readGrounding("<ref>cat</ref> <box>5 6 70 80</box>")?.shapes[0]).toMatchObject({
      label: "cat",
      points: box,
    });
  });
});
