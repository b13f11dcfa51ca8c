import { expect, test } from "vitest";
import type { UsageView } from "@/api/generated/types.gen";
import { usageSearch } from "./search";
import { daysOf, sumOf, tokensOf } from "./sums";

const row = (day: string, prompt: number): UsageView => ({
  day,
  model: "m",
  key_id: "",
  key: "",
  user_id: "",
  user: "",
  requests: 1,
  failed: 0,
  prompt_tokens: prompt,
  completion_tokens: 2,
  cached_tokens: 0,
  image_tokens: 0,
  images: 1,
});

test("days without usage stand between those with some", () => {
  const days = daysOf([row("2026-03-01", 5), row("2026-02-27", 1), row("2026-03-01", 2)]);
  expect(days.map(({ day }) => day)).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  expect(days.map(({ sum }) => tokensOf(sum))).toEqual([3, 0, 11]);
  expect(sumOf([row("2026-03-01", 5), row("2026-03-01", 6)])).toMatchObject({
    requests: 2,
    prompt_tokens: 11,
    images: 2,
  });
  expect(daysOf([])).toEqual([]);
});

test("an address that is no choice of the page is left out", () => {
  expect(usageSearch({ days: 7, by: "key" })).toEqual({ days: 7, by: "key" });
  expect(usageSearch({ days: 8, by: "colour" })).toEqual({});
});
