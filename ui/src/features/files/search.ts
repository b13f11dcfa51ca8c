import type { ModelState } from "@/api/generated/types.gen";

export const STATES: readonly ModelState[] = ["queued", "downloading", "paused", "failed", "ready"];
export const ORDERS = ["name", "size", "state"] as const;
export type Order = (typeof ORDERS)[number];

/** What the page shows, kept in its address: words to search for (`q`), filters, the order, the `open` entry, and
 * whether the dialog to `add` a download is open. */
export interface FilesSearch {
  q?: string;
  state?: ModelState;
  node?: string;
  sort?: Order;
  open?: string;
  add?: true;
}

const text = (value: unknown): string | undefined => {
  // The router reads a bare number in an address as a number.
  const words = typeof value === "number" ? String(value) : value;
  return typeof words === "string" && words ? words : undefined;
};

export function filesSearch(search: Record<string, unknown>): FilesSearch {
  const found = {
    q: text(search.q),
    state: STATES.find((state) => state === search.state),
    node: text(search.node),
    sort: ORDERS.find((order) => order === search.sort),
    open: text(search.open),
    add: search.add === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
