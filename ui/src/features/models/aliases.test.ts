import { describe, expect, it } from "vitest";
import { shares } from "./aliases";

describe("shares", () => {
  it("tells each share of several, and nothing of one", () => {
    const [old, fresh] = [
      { deployment: "old", weight: 90 },
      { deployment: "new", weight: 10 },
    ] as const;
    expect(shares({ targets: [old, fresh] })).toBe("old 90%, new 10%");
    expect(shares({ targets: [fresh] })).toBe("new");
  });
});
