import { describe, expect, it } from "vitest";
import { valueOf, without, withValue } from "./arguments";

const CONTEXT = { flag: "--ctx-size", names: ["-c"] };
const LIMIT = { flag: "--limit-mm-per-prompt", names: [] };

describe("valueOf", () => {
  it.each([
    [["--ctx-size=4096"], "4096"],
    [["-c 4096"], "4096"],
    [["--ctx_size", "4096"], "4096"],
    [["--ctx-size=1", "--seed=2", "-c=3"], "3"],
    [["--ctx-size", "-1"], "-1"],
    [["--ctx-size", "--seed"], null],
    [["--ctx-size"], null],
    [["--ctx-size-draft=1"], undefined],
    [[], undefined],
  ])("%j", (given, value) => {
    expect(valueOf(given, CONTEXT)).toBe(value);
  });
});

describe("without", () => {
  it.each([
    [
      ["--seed=1", "-c", "4096", "--mlock"],
      ["--seed=1", "--mlock"],
    ],
    [["--ctx-size=1", "-c 2"], []],
    [["--ctx-size", "--mlock"], ["--mlock"]],
  ])("%j", (given, left) => {
    expect(without(given, CONTEXT)).toEqual(left);
  });

  it("finds parts of an object, too", () => {
    expect(without(["--limit-mm-per-prompt.image=4", "--x"], LIMIT)).toEqual(["--x"]);
  });
});

describe("withValue", () => {
  it("takes the place of what was there, once", () => {
    const given = ["--seed=1", "-c", "1", "--mlock", "--ctx-size=2"];
    expect(withValue(given, CONTEXT, "8192")).toEqual(["--seed=1", "--ctx-size=8192", "--mlock"]);
    expect(withValue(["--mlock", ""], CONTEXT, "1")).toEqual(["--mlock", "", "--ctx-size=1"]);
  });

  it("is what valueOf finds again", () => {
    expect(valueOf(withValue(["-c=1"], CONTEXT, "a b=c"), CONTEXT)).toBe("a b=c");
  });
});
