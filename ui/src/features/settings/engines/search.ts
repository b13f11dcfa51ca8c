/** What the page shows, kept in its address: the dialog to `install` (with a version, or empty to choose one) or to
 * `register` a program. */
export interface EnginesSearch {
  install?: string;
  register?: true;
}

export function enginesSearch(search: Record<string, unknown>): EnginesSearch {
  if (typeof search.install === "string") return { install: search.install };
  return search.register === true ? { register: true } : {};
}
