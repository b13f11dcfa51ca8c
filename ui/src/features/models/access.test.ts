import { expect, test } from "vitest";
import type { KeyView } from "@/api/generated/types.gen";
import { keysFor, snippet, SNIPPETS } from "./access";

const key = (id: string, change: Partial<KeyView> = {}): KeyView => ({
  id,
  name: id,
  scopes: ["inference"],
  models: null,
  created_at: 0,
  expires_at: null,
  last_used_at: null,
  disabled: false,
  owner: "admin",
  networks: null,
  limits: {
    requests_per_minute: null,
    tokens_per_minute: null,
    images_per_minute: null,
    concurrent: null,
    tokens_per_month: null,
  },
  tokens_this_month: 0,
  ...change,
});

test("only keys that may ask the model are offered, the narrowest first", () => {
  const keys = [
    key("all"),
    key("manager", { scopes: ["management"] }),
    key("off", { disabled: true }),
    key("old", { expires_at: 10 }),
    key("other", { models: ["b"] }),
    key("narrow", { models: ["a"], expires_at: 1000 }),
  ];
  expect(keysFor("a", keys, 100).map(({ id }) => id)).toEqual(["narrow", "all"]);
});

test("the code names the model and never holds a key", () => {
  for (const kind of SNIPPETS) {
    const code = snippet(kind, { base: "http://h/v1", model: "eye", key: "sk-a-…", vision: true, question: "What?" });
    expect(code).toContain('"eye"');
    expect(code).toContain("image_url");
    expect(code).toContain("AIMINDSERVE_KEY");
  }
  const text = snippet("curl", { base: "http://h/v1", model: "eye", key: "sk-a-…", vision: false, question: "it's" });
  expect(text).toContain('"content": "it\'s"');
});
