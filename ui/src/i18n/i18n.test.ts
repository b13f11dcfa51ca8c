import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import { zh } from "./zh";

type Words = Record<string, unknown>;

/** Every key with its words: `shell.live` → `Live`. */
function flatten(words: Words, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [inner, text] of flatten(value as Words, `${prefix}${key}.`)) found.set(inner, text);
  }
  return found;
}

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();

const ENGLISH = flatten(en);
const CHINESE = flatten(zh);
const SOURCE = join(__dirname, "..");

function sources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !["generated", "i18n", "mocks"].includes(entry.name) && !entry.name.includes(".test."))
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sources(path) : readFileSync(path, "utf8");
    })
    .join("\n");
}

/** Keys named in the code: whole ones, and those that a template such as `phase.${phase}` reaches. */
function usedKeys(): Set<string> {
  const code = sources(SOURCE);
  const whole = [...code.matchAll(/["'`]([a-z]+(?:\.\w+)+)["'`]/gi)].map((match) => match[1] ?? "");
  const prefixes = [...code.matchAll(/`([a-z]+(?:\.\w+)*\.)\$\{/gi)].map((match) => match[1] ?? "");
  const reached = [...ENGLISH.keys()].filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
  return new Set([...whole, ...reached]);
}

describe("the words of the page", () => {
  it("have the same keys in both languages", () => {
    expect([...CHINESE.keys()].sort()).toEqual([...ENGLISH.keys()].sort());
  });

  it("mention the same values in both languages", () => {
    for (const [key, text] of ENGLISH)
      expect([key, placeholders(CHINESE.get(key) ?? "")]).toEqual([key, placeholders(text)]);
  });

  it("are never empty, and Chinese where Chinese is due", () => {
    const same = [...ENGLISH].filter(([key, text]) => CHINESE.get(key) === text).map(([key]) => key);
    expect([...CHINESE.values()].filter((text) => text.trim() === "")).toEqual([]);
    expect(same.sort()).toEqual(["memory.gpu", "playground.size", "playground.topP"]);
  });

  it("are all used, and nothing else is", () => {
    const used = usedKeys();
    // The numbers one and other have words of their own; the code names what they have in common.
    const named = (key: string): string => key.replace(/_(?:one|other)$/, "");
    expect([...ENGLISH.keys()].filter((key) => !used.has(key) && !used.has(named(key)))).toEqual([]);
  });
});
