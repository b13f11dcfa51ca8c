import { queryOptions } from "@tanstack/react-query";
import type { UsageGroup } from "./calls";
import { api } from "./calls";
import { isApiError } from "./client";

/** Who is logged in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    try {
      return await api.session();
    } catch (error) {
      if (isApiError(error, "unauthenticated")) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const deploymentsQuery = queryOptions({ queryKey: ["deployments"], queryFn: api.deployments });

export const aliasesQuery = queryOptions({ queryKey: ["aliases"], queryFn: api.aliases });

export const eventsQuery = (deployment: string) =>
  queryOptions({ queryKey: ["deployment-events", deployment], queryFn: () => api.deploymentEvents(deployment) });

export const memoryQuery = (deployment: string) =>
  queryOptions({ queryKey: ["deployment-memory", deployment], queryFn: () => api.deploymentMemory(deployment) });

export const filesQuery = queryOptions({ queryKey: ["files"], queryFn: api.files });

/** Machines with what is measured on them, which changes without an event: looked at again while it is shown. */
export const nodesQuery = queryOptions({ queryKey: ["nodes"], queryFn: api.nodes });

export const usageQuery = (days: number, by: UsageGroup) =>
  queryOptions({ queryKey: ["usage", days, by], queryFn: () => api.usage(days, by), refetchInterval: 60_000 });

export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: api.keys });

/** What a picture of this size takes of a model's context; the same for as long as the model runs the same way. */
export const imageTokensQuery = (deployment: string, generation: number, width: number, height: number) =>
  queryOptions({
    queryKey: ["image-tokens", deployment, generation, width, height],
    queryFn: () => api.imageTokens(deployment, width, height),
    staleTime: Infinity,
  });
