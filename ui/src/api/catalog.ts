import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import "./client";
import * as sdk from "./generated/sdk.gen";
import type { CatalogCardView } from "./generated/types.gen";
import type { Hub } from "./hub";

export const CAPABILITIES = ["vision", "chat", "audio", "tools", "thinking", "embedding", "rerank"] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What is looked for in the catalog. `least` and `most` parameters. */
export interface CatalogWish {
  q: string;
  capability: Capability | null;
  fits: boolean;
  source: Hub;
  least: number | null;
  most: number | null;
}

const find = async ({ q, capability, fits, source, least, most }: CatalogWish, signal: AbortSignal) => {
  const query = { q: q.trim(), capability, fits, source, min_parameters: least, max_parameters: most };
  return (await sdk.listCatalog({ query, signal })).data;
};

const read = async (name: string, source: Hub, signal: AbortSignal): Promise<CatalogCardView> =>
  (await sdk.readCatalogCard({ path: { name }, query: { source }, signal })).data;

/** While an answer to another question comes, the last one stays on the page. */
export const catalogQuery = (wish: CatalogWish, language: string) =>
  queryOptions({
    queryKey: ["catalog", wish, language],
    queryFn: ({ signal }) => find(wish, signal),
    placeholderData: keepPreviousData,
  });

export const catalogCardQuery = (name: string, source: Hub, language: string) =>
  queryOptions({
    queryKey: ["catalog", name, source, language],
    queryFn: ({ signal }) => read(name, source, signal),
  });
