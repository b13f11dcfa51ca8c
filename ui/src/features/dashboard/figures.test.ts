import { expect, test } from "vitest";
import type { TrafficPoint, UsageView } from "@/api/generated/types.gen";
import { nowOf, topOf } from "./figures";
import { dashboardSearch } from "./search";

const point = (change: Partial<TrafficPoint>): TrafficPoint => ({
  at: 0,
  requests: 0,
  failed: 0,
  images: 0,
  requests_per_second: 0,
  prompt_tokens_per_second: 0,
  completion_tokens_per_second: 0,
  ttft_p50_ms: null,
  ttft_p95_ms: null,
  tokens_per_second: null,
  in_flight: null,
  waiting: null,
  ...change,
});

const usage = (model: string, key: string, tokens: number): UsageView => ({
  day: "2026-01-01",
  model,
  key_id: key,
  key: key && `name of ${key}`,
  user_id: "",
  user: "",
  requests: 1,
  failed: 0,
  prompt_tokens: tokens,
  completion_tokens: 1,
  cached_tokens: 0,
  image_tokens: 0,
  images: 0,
});

test("now is told from the steps that are over", () => {
  const points = [
    point({ requests: 9, failed: 3 }),
    point({ requests_per_second: 2, ttft_p50_ms: 80 }),
    point({ requests_per_second: 4 }),
    point({ requests_per_second: 99, requests: 1, in_flight: 3, waiting: 1 }),
  ];
  expect(nowOf({ span: "hour", step: 30, points })).toEqual({
    requestsPerSecond: 2,
    tokensPerSecond: 0,
    ttftMs: 80,
    running: 3,
    waiting: 1,
    failed: 0.3,
  });
  expect(nowOf({ span: "hour", step: 30, points: [] })).toMatchObject({ ttftMs: null, running: null, failed: null });
});

test("who used most comes first, over all days", () => {
  const rows = [usage("a", "", 5), usage("b", "k", 4), usage("a", "", 5), usage("c", "x", 100)];
  expect(topOf(rows, "model").map(({ name, tokens }) => [name, tokens])).toEqual([
    ["c", 101],
    ["a", 12],
    ["b", 5],
  ]);
  expect(topOf(rows, "key").map(({ id }) => id)).toEqual(["x", "", "k"]);
});

test("the address keeps the span", () => {
  expect(dashboardSearch({ span: "day" })).toEqual({ span: "day" });
  expect(dashboardSearch({ span: "year" })).toEqual({});
});
