import { SPANS } from "@/api/overview";

/** What the page shows, kept in its address. */
export interface DashboardSearch {
  span?: (typeof SPANS)[number];
}

export function dashboardSearch(search: Record<string, unknown>): DashboardSearch {
  const span = SPANS.find((one) => one === search.span);
  return span ? { span } : {};
}
