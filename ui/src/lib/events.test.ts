import { expect, test } from "vitest";
import { eventDetail, eventKey, fieldChanges } from "./events";

test("a kind that the page does not know has no words", () => {
  expect(eventKey({ kind: "user.created" }, () => true)).toBe("events.kind.user.created");
  expect(eventKey({ kind: "comet.seen" }, () => false)).toBeNull();
});

test("changes are told before and after, whatever their shape", () => {
  const data = {
    changes: {
      parameters: { before: [], after: ["--ctx-size=4096", "--parallel=2"] },
      limits: { before: {}, after: { requests_per_minute: 5 } },
      disabled: { before: false, after: true },
      note: { before: null, after: "x" },
      odd: 3,
    },
    replicas: 2,
  };
  expect(fieldChanges({ data })).toEqual([
    { field: "parameters", before: "–", after: "--ctx-size=4096 --parallel=2" },
    { field: "limits", before: "–", after: "requests_per_minute: 5" },
    { field: "disabled", before: "false", after: "true" },
    { field: "note", before: "–", after: "x" },
  ]);
  expect(fieldChanges({ data: { changes: ["old"] } })).toEqual([]);
  expect(eventDetail({ data })).toBe("replicas: 2");
});
