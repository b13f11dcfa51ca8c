import { describe, expect, it } from "vitest";
import { withDoubleDollars } from "./tex";

describe("withDoubleDollars", () => {
  it.each([
    ["Area \\(a^2\\).", "Area $$a^2$$."],
    ["Area $a^2$ and $b$.", "Area $$a^2$$ and $$b$$."],
    ["So \\[x = 1\\] it is", "So \n$$\nx = 1\n$$\n it is"],
    ["$$x = 1$$", "\n$$\nx = 1\n$$\n"],
    ["$$\nx = 1\n$$", "$$\nx = 1\n$$"],
  ])("%j", (text, wanted) => {
    expect(withDoubleDollars(text)).toBe(wanted);
  });

  it.each([
    "It costs $5 and $10.",
    "From $5-$10",
    "a $ b $ c",
    "`$HOME and $PATH`",
    "```sh\necho $HOME $PATH$x$\n```",
    "\\$a\\$",
    "US$5 or CA$6",
  ])("leaves %j", (text) => {
    expect(withDoubleDollars(text)).toBe(text);
  });
});
