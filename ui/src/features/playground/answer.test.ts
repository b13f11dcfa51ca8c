import { describe, expect, it } from "vitest";
import { withPiece } from "./answer";
import { splitThought } from "./reasoning";
import type { ToolCall } from "./turns";

describe("withPiece", () => {
  it("puts the pieces of several calls together", () => {
    const pieces = [
      { index: 0, id: "a", name: "weather", arguments: "" },
      { index: 0, id: "", name: "", arguments: '{"city":' },
      { index: 1, id: "b", name: "time", arguments: "{}" },
      { index: 0, id: "", name: "", arguments: '"Paris"}' },
    ];
    expect(pieces.reduce<ToolCall[]>(withPiece, [])).toEqual([
      { id: "a", name: "weather", arguments: '{"city":"Paris"}' },
      { id: "b", name: "time", arguments: "{}" },
    ]);
  });
});

describe("splitThought", () => {
  it.each([
    ["<think>\nHm.\n</think>\n\nRed.", "Hm.", "Red.", false],
    ["<think>Hm", "Hm", "", true],
    ["Hm.</think>Red.", "Hm.", "Red.", false],
    ["◁think▷Hm◁/think▷Red.", "Hm", "Red.", false],
    ["Red.", "", "Red.", false],
    ["Write <think> first.", "", "Write <think> first.", false],
  ])("%j", (text, reasoning, answer, open) => {
    expect(splitThought(text)).toEqual({ reasoning, answer, open });
  });
});
