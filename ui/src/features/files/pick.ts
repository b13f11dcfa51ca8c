import { queryOptions } from "@tanstack/react-query";
import type { Hub } from "@/api/hub";
import { hubApi } from "@/api/hub";

const SHORTEST = 3;
const MOST = 6;

/** The words to look for on the hubs; "" while a source or a path is typed, which needs no search. */
export function wordsOf(text: string): string {
  const words = text.trim();
  return words.length < SHORTEST || words.includes("://") || words.startsWith("/") ? "" : words;
}

/** The sources of the best results. Asked once: hubs count requests, and whatever happens here changes nothing there. */
export const pickQuery = (hub: Hub, words: string) =>
  queryOptions({
    queryKey: ["hub", "pick", hub, words],
    queryFn: async ({ signal }) => {
      const found = await hubApi.search(
        { hub, q: words, gguf: false, vision: false, size: undefined, sort: "downloads" },
        null,
        signal,
      );
      return found.items.slice(0, MOST).map((model) => model.source);
    },
    enabled: words !== "",
    staleTime: "static",
    retry: false,
  });

/** What is in use here and contains what is typed. */
export function matching(known: readonly string[], text: string): string[] {
  const wish = text.trim().toLowerCase();
  return known.filter((source) => source.toLowerCase().includes(wish));
}
