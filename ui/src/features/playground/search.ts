export interface PlaygroundSearch {
  model?: string;
}

export function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
  return typeof search.model === "string" ? { model: search.model } : {};
}
