import { describe, expect, it } from "vitest";
import { checkPassword } from "./rules";

describe("checkPassword", () => {
  it("ticks each rule off by itself", () => {
    expect(checkPassword({ current: "old", next: "", confirm: "" })).toEqual({
      length: false,
      different: false,
      confirmed: false,
    });
    expect(checkPassword({ current: "old", next: "twelve chars", confirm: "twelve" })).toEqual({
      length: true,
      different: true,
      confirmed: false,
    });
    expect(checkPassword({ current: "twelve chars", next: "twelve chars", confirm: "twelve chars" }).different).toBe(
      false,
    );
  });
});
