export const TABS = ["chat", "compare", "embeddings", "rerank"] as const;
export type Tab = (typeof TABS)[number];

/** Models that are compared at once. */
export const MOST_COMPARED = 6;

/** `model`: who is asked; `tab`: what is done (chat where it is left out); `chat`: a conversation of the history;
 * `models`: who is compared. */
export interface PlaygroundSearch {
  model?: string;
  tab?: Tab;
  chat?: string;
  models?: string[];
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

export function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
  const { model, chat, models } = search;
  const tab = TABS.find((name) => name === search.tab);
  const compared = Array.isArray(models) ? models.filter(isText).slice(0, MOST_COMPARED) : [];
  return {
    ...(isText(model) && { model }),
    ...(tab && tab !== "chat" && { tab }),
    ...(isText(chat) && { chat }),
    ...(compared.length > 0 && { models: compared }),
  };
}
