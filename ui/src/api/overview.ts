import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import "./client";
import * as sdk from "./generated/sdk.gen";
import type { Span } from "./generated/types.gen";

export const SPANS = ["hour", "day"] as const satisfies readonly Span[];

/** Figures move without events: looked at again while they are shown. */
const LOOK_AGAIN_MS = 10_000;

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: async ({ signal }) => (await sdk.readOverview({ signal })).data,
  refetchInterval: LOOK_AGAIN_MS,
});

/** Requests over time, of one model or (null) of all. */
export const trafficQuery = (span: Span, model: string | null) =>
  queryOptions({
    queryKey: ["traffic", span, model],
    queryFn: async ({ signal }) => (await sdk.readTraffic({ query: { span, model }, signal })).data,
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: keepPreviousData,
  });

export const deviceHistoryQuery = (node: string, device: string, span: Span) =>
  queryOptions({
    queryKey: ["device-history", node, device, span],
    queryFn: async ({ signal }) =>
      (await sdk.readDeviceHistory({ path: { node_id: node, device_id: device }, query: { span }, signal })).data,
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: keepPreviousData,
  });
