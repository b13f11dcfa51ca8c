import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import "./client";
import * as sdk from "./generated/sdk.gen";
import type { CodeApprovalRequest, HubModelView, HubSettingsRequest } from "./generated/types.gen";
import type { ModelSize } from "@/lib/modelSizes";
import { boundsOf } from "@/lib/modelSizes";

export type Hub = HubModelView["hub"];
export type FitMark = HubModelView["fit"];

export const SORTS = ["downloads", "likes", "trending", "updated"] as const;
export type HubSort = (typeof SORTS)[number];

/** What is looked for on a hub. */
export interface HubWish {
  hub: Hub;
  q: string;
  gguf: boolean;
  vision: boolean;
  size: ModelSize | undefined;
  sort: HubSort;
}

/** A repository's part of an address. */
function repositoryPath(repository: string): { owner: string; name: string } {
  const [owner = "", name = ""] = repository.split("/");
  return { owner, name };
}

export const hubApi = {
  search: async ({ hub, q, gguf, vision, size, sort }: HubWish, cursor: string | null, signal: AbortSignal) => {
    const format = gguf ? "gguf" : "any";
    const capability = vision ? "vision" : null;
    const { least, most } = boundsOf(size);
    const range = { min_parameters: least, max_parameters: most };
    const query = { q: q.trim(), source: hub, format, capability, sort, cursor, ...range } as const;
    return (await sdk.searchHub({ query, signal })).data;
  },
  files: async (hub: Hub, repository: string, signal: AbortSignal) =>
    (await sdk.listHubFiles({ path: repositoryPath(repository), query: { source: hub }, signal })).data,
  readme: async (hub: Hub, repository: string, signal: AbortSignal) =>
    (await sdk.readHubReadme({ path: repositoryPath(repository), query: { source: hub }, signal })).data,
  approvals: async () => (await sdk.listCodeApprovals()).data.items,
  approve: async (body: CodeApprovalRequest) => (await sdk.approveCode({ body })).data,
  withdraw: async ({ hub, repository, revision }: CodeApprovalRequest) => {
    await sdk.withdrawCodeApproval({ path: { hub, ...repositoryPath(repository), revision } });
  },
  settings: async () => (await sdk.readHubSettings()).data,
  change: async (body: HubSettingsRequest) => (await sdk.editHubSettings({ body })).data,
  storeToken: async (hub: Hub, token: string) => {
    await sdk.storeHubToken({ path: { hub }, body: { token } });
  },
  removeToken: async (hub: Hub) => {
    await sdk.removeHubToken({ path: { hub } });
  },
  check: async () => (await sdk.checkHubs()).data.items,
};

/**
 * Pages of results. Hubs count requests, and lists that move under the pointer annoy: what was found stays until
 * somebody asks again, whatever happens on this server meanwhile (`static`).
 */
export const searchQuery = (wish: HubWish, language: string) =>
  infiniteQueryOptions({
    queryKey: ["hub", "search", wish, language],
    queryFn: ({ pageParam, signal }) => hubApi.search(wish, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: "static",
    retry: false,
  });

export const filesQuery = (hub: Hub, repository: string, language: string) =>
  queryOptions({
    queryKey: ["hub", "files", hub, repository, language],
    queryFn: ({ signal }) => hubApi.files(hub, repository, signal),
    staleTime: "static",
    retry: false,
  });

export const readmeQuery = (hub: Hub, repository: string) =>
  queryOptions({
    queryKey: ["hub", "readme", hub, repository],
    queryFn: ({ signal }) => hubApi.readme(hub, repository, signal),
    staleTime: "static",
    retry: false,
  });

export const approvalsQuery = queryOptions({ queryKey: ["approvals"], queryFn: hubApi.approvals });

export const hubSettingsQuery = queryOptions({ queryKey: ["settings", "hub"], queryFn: hubApi.settings });
