import { expect, test } from "vitest";
import { labelPatch, labelsOf, labelTexts } from "./labels";

test("labels are written and read as name=value", () => {
  const labels = { room: "lab", tier: "2" };
  expect(labelTexts(labels)).toEqual(["room=lab", "tier=2"]);
  expect(labelsOf(labelTexts(labels))).toEqual(labels);
  expect(labelsOf(["room lab"])).toBeNull();
  expect(labelsOf(["=x"])).toBeNull();
});

test("only what changes is told", () => {
  expect(labelPatch({ a: "1", b: "2", c: "3" }, { a: "1", b: "9", d: "4" })).toEqual({ b: "9", c: null, d: "4" });
});
