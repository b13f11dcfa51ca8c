export const GROUPS = ["model", "key", "user"] as const;
export type Group = (typeof GROUPS)[number];
export const PERIODS = [7, 30, 90, 366] as const;
export type Period = (typeof PERIODS)[number];

/** What the page shows, kept in its address. */
export interface UsageSearch {
  days?: Period;
  by?: Group;
}

export function usageSearch(search: Record<string, unknown>): UsageSearch {
  const days = PERIODS.find((period) => period === search.days);
  const by = GROUPS.find((group) => group === search.by);
  return { ...(days && { days }), ...(by && { by }) };
}
