import { queryOptions } from "@tanstack/react-query";
import "./client";
import * as sdk from "./generated/sdk.gen";
import type { EnginesView, EnvironmentView, InstallRequest, RegisterRequest } from "./generated/types.gen";

const REFRESH_MS = 1500;

/** Whether something is on its way: how far it is comes without events. */
export function isMoving(item: EnvironmentView): boolean {
  return item.removing || (item.state !== "ready" && item.state !== "failed");
}

export const enginesApi = {
  list: async () => (await sdk.listEngines()).data,
  install: async (body: InstallRequest) => {
    await sdk.installEngine({ body });
  },
  register: async (body: RegisterRequest) => {
    await sdk.registerEngine({ body });
  },
  order: async ({ node_id, key }: EnvironmentView, action: "cancel" | "retry") => {
    await sdk.orderEngine({ path: { node_id, key, action } });
  },
  remove: async ({ node_id, key }: EnvironmentView) => {
    await sdk.removeEngine({ path: { node_id, key } });
  },
};

/** Versions of engines on nodes, and those that can be installed. */
export const enginesQuery = queryOptions<EnginesView>({
  queryKey: ["engines"],
  queryFn: enginesApi.list,
  refetchInterval: (query) => (query.state.data?.items.some(isMoving) ? REFRESH_MS : false),
});
