import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { HubModelView, ReasonView } from "@/api/generated/types.gen";
import type { HubWish } from "@/api/hub";
import { searchQuery } from "@/api/hub";
import { currentLanguage } from "@/i18n";

export interface HubSearch {
  models: readonly HubModelView[];
  /** Nothing to show yet. */
  waiting: boolean;
  /** The results of an earlier wish are shown while the new ones come. */
  refreshing: boolean;
  settled: boolean;
  offline: ReasonView | null;
  error: Error | null;
  hasMore: boolean;
  loadingMore: boolean;
  more: () => void;
  again: () => void;
}

/** Looks for models on a hub, page by page. */
export function useHubSearch(wish: HubWish): HubSearch {
  const query = useInfiniteQuery({ ...searchQuery(wish, currentLanguage()), placeholderData: keepPreviousData });
  const pages = query.data?.pages ?? [];
  // A hub's list moves while one reads on: what comes twice is shown once.
  const models = [...new Map(pages.flatMap((page) => page.items).map((model) => [model.repository, model])).values()];
  return {
    models,
    waiting: query.isPending,
    refreshing: query.isPlaceholderData,
    settled: query.isSuccess && !query.isPlaceholderData,
    offline: pages.find((page) => page.offline)?.offline ?? null,
    error: query.error,
    hasMore: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    more: () => void query.fetchNextPage(),
    again: () => void query.refetch(),
  };
}
