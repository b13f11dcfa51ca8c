import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("coordinates without tags", () => {
  it.each([
    ["the dog [[120,030,480,900]]", "0-1000", [120, 30]],
    ["A dog [0.12, 0.03, 0.48, 0.9] sits there.", "0-1", [0.12, 0.03]],
    ["[120, 30, 480, 900]", "0-1000", [120, 30]],
    ["[120, 30, 1480, 900]", "pixels", [120, 30]],
  ] as const)("%s", (text, frame, first) => {
    const found = readGrounding(text);
    expect(found).toMatchObject({ frame });
    expect(found?.shapes[0]?.points[0]).toEqual(first);
  });

  it.each([
    "The list is [1, 2, 3, 4] in Python.",
    "There are 3 apples (2 red), (1 green).",
    "",
    "Call f(1, 2) and g(3).",
    "The matrix [[5, 6, 1, 2]]",
  ])("none in: %s", (text) => {
    expect(readGrounding(text)).toBeNull();
  });

  it("never takes long for long answers", () => {
    const long = "(((([[[[<<<<{{{{ <loc_1 0.1, ".repeat(4000);
    expect(readGrounding(long)).toBeNull();
  });
});
