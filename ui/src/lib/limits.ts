import type { LimitsViewOutput } from "@/api/generated/types.gen";

export const LIMITS = [
  "requests_per_minute",
  "tokens_per_minute",
  "images_per_minute",
  "concurrent",
  "tokens_per_month",
] as const satisfies readonly (keyof LimitsViewOutput)[];
export type Limit = (typeof LIMITS)[number];

/** What a form holds of limits; what is left out is not limited. */
export type LimitValues = Partial<Record<Limit, number>>;

export function limitValues(limits: LimitsViewOutput): LimitValues {
  const values: LimitValues = {};
  for (const limit of LIMITS) {
    const value = limits[limit];
    if (value !== null) values[limit] = value;
  }
  return values;
}
