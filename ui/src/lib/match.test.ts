import { expect, test } from "vitest";
import { bestMatches, matchScore } from "./match";

const entries = ["Models", "Model files", "Deploy model: Hugging Face", "qwen2-vl-2b", "试验场"].map((text) => ({
  text,
}));
const found = (typed: string): string[] => bestMatches(entries, typed, 3).map(({ text }) => text);

test("all words must be there, in any order", () => {
  expect(found("model")).toEqual(["Models", "Model files", "Deploy model: Hugging Face"]);
  expect(found("face deploy")).toEqual(["Deploy model: Hugging Face"]);
  expect(found("vl 2b")).toEqual(["qwen2-vl-2b"]);
  expect(found("试验")).toEqual(["试验场"]);
  expect(found("zebra")).toEqual([]);
  expect(found("")).toHaveLength(3);
});

test("the beginning of a word counts more than its middle", () => {
  expect(matchScore("list files", "files")).toBeGreaterThan(matchScore("profiles", "files"));
});
