import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("PaliGemma's tokens", () => {
  it("name y before x, in 1024 steps, and the label behind", () => {
    const found = readGrounding("<loc0100><loc0200><loc0500><loc0600> cat ; <loc0001><loc0002><loc0003><loc0004> dog");
    expect(found).toEqual({
      convention: "PaliGemma",
      frame: "0-1023",
      shapes: [
        { kind: "box", label: "cat", points: [[200, 100], [600, 500]] }, // prettier-ignore
        { kind: "box", label: "dog", points: [[2, 1], [4, 3]] }, // prettier-ignore
      ],
    });
  });

  it("keep the box of a mask", () => {
    const mask = Array.from({ length: 16 }, (_, index) => `<seg${String(index).padStart(3, "0")}>`).join("");
    const found = readGrounding(`<loc0100><loc0200><loc0500><loc0600>${mask} cat`);
    expect(found?.shapes).toMatchObject([{ label: "cat", points: [[200, 100], [600, 500]] }]); // prettier-ignore
  });
});
