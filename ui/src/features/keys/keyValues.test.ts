import { expect, test } from "vitest";
import type { KeyView } from "@/api/generated/types.gen";
import { NEW_KEY, patchOf, requestOf, valuesOf } from "./keyValues";

const KEY: KeyView = {
  id: "abc",
  name: "laptop",
  scopes: ["inference"],
  models: ["tiny"],
  created_at: 0,
  expires_at: 99,
  last_used_at: null,
  disabled: false,
  owner: "admin",
  networks: null,
  limits: {
    requests_per_minute: 60,
    tokens_per_minute: null,
    images_per_minute: null,
    concurrent: null,
    tokens_per_month: null,
  },
  tokens_this_month: 0,
};

test("a new key without restrictions says so", () => {
  expect(requestOf({ ...NEW_KEY, name: " a " })).toEqual({
    name: "a",
    scopes: ["inference"],
    models: null,
    networks: null,
    expires_in: null,
    limits: {},
  });
});

test("an edited key keeps its expiry unless another is chosen", () => {
  const values = valuesOf(KEY);
  expect(values.limits).toEqual({ requests_per_minute: 60 });
  expect(patchOf(values)).toEqual({
    name: "laptop",
    scopes: ["inference"],
    models: ["tiny"],
    networks: null,
    limits: { requests_per_minute: 60 },
  });
  expect(patchOf({ ...values, days: "" })).toMatchObject({ expires_in: null });
  expect(patchOf({ ...values, days: "30" })).toMatchObject({ expires_in: 2_592_000 });
});
