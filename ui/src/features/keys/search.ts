/** What the page shows, kept in its address: `create`: a key for this model is to be made. */
export interface KeysSearch {
  create?: string;
}

export function keysSearch(search: Record<string, unknown>): KeysSearch {
  return typeof search.create === "string" && search.create ? { create: search.create } : {};
}
