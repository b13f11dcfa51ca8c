import type { UsageView } from "@/api/generated/types.gen";

export interface Sum {
  requests: number;
  failed: number;
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  images: number;
}

const FIELDS = ["requests", "failed", "prompt_tokens", "completion_tokens", "cached_tokens", "images"] as const;

/** The sum over `rows`. */
export function sumOf(rows: readonly UsageView[]): Sum {
  const sum: Sum = { requests: 0, failed: 0, prompt_tokens: 0, completion_tokens: 0, cached_tokens: 0, images: 0 };
  for (const row of rows) for (const field of FIELDS) sum[field] += row[field];
  return sum;
}

export const tokensOf = (sum: Sum): number => sum.prompt_tokens + sum.completion_tokens;

export interface Day {
  day: string;
  sum: Sum;
}

/** Every day from the first with usage to the last, oldest first; days without any are there with zeros. */
export function daysOf(rows: readonly UsageView[]): Day[] {
  const days = rows.map(({ day }) => day).sort();
  const [first] = days;
  const last = days.at(-1);
  if (first === undefined || last === undefined) return [];
  const found: Day[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    found.push({ day, sum: sumOf(rows.filter((row) => row.day === day)) });
  }
  return found;
}
