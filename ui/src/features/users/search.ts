/** What the page shows, kept in its address: the words looked for. */
export interface UsersSearch {
  q?: string;
}

export function usersSearch(search: Record<string, unknown>): UsersSearch {
  return typeof search.q === "string" && search.q ? { q: search.q } : {};
}
