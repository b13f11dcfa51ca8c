import { describe, expect, it } from "vitest";
import { modelsSearch } from "./search";

describe("modelsSearch", () => {
  it("keeps what the page knows and drops the rest", () => {
    expect(modelsSearch({ open: "m", tab: "events", deploy: "ftp", edit: 3, other: "x" })).toEqual({
      open: "m",
      tab: "events",
    });
    expect(modelsSearch({})).toEqual({});
  });
});
