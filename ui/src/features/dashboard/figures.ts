import type { TrafficPoint, TrafficView, UsageView } from "@/api/generated/types.gen";

/** What is going on now, from the last steps that are over. Null: nothing to tell it from. */
export interface Now {
  requestsPerSecond: number;
  tokensPerSecond: number;
  ttftMs: number | null;
  running: number | null;
  waiting: number | null;
  /** The share of failed requests in the whole span, 0 to 1; null without requests. */
  failed: number | null;
}

/** Steps over which "now" is told: one alone is often empty. */
const RECENT = 4;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);

/** The latest value that is known. */
function latest(points: readonly TrafficPoint[], field: "ttft_p50_ms" | "in_flight" | "waiting"): number | null {
  return points.findLast((point) => point[field] !== null)?.[field] ?? null;
}

export function nowOf({ points }: TrafficView): Now {
  const lately = points.slice(-RECENT - 1);
  const recent = lately.slice(0, -1);
  const requests = sum(points.map((point) => point.requests));
  const failed = sum(points.map((point) => point.failed));
  return {
    requestsPerSecond: mean(recent.map((point) => point.requests_per_second)),
    tokensPerSecond: mean(recent.map((point) => point.completion_tokens_per_second)),
    ttftMs: latest(lately, "ttft_p50_ms"),
    running: latest(lately, "in_flight"),
    waiting: latest(lately, "waiting"),
    failed: requests === 0 ? null : failed / requests,
  };
}

export interface Top {
  id: string;
  name: string;
  requests: number;
  tokens: number;
}

const MOST = 5;

/** Who used most, by tokens. `name` "" for a key that is deleted, `id` "" for the web page. */
export function topOf(rows: readonly UsageView[], by: "model" | "key"): Top[] {
  const sums = new Map<string, Top>();
  for (const row of rows) {
    const [id, name] = by === "model" ? [row.model, row.model] : [row.key_id, row.key];
    const known = sums.get(id) ?? { id, name, requests: 0, tokens: 0 };
    sums.set(id, {
      ...known,
      requests: known.requests + row.requests,
      tokens: known.tokens + row.prompt_tokens + row.completion_tokens,
    });
  }
  return [...sums.values()].sort((a, b) => b.tokens - a.tokens || b.requests - a.requests).slice(0, MOST);
}
