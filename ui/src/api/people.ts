import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import "./client";
import * as sdk from "./generated/sdk.gen";
import type { UserPatch, UserRequest } from "./generated/types.gen";

export const people = {
  create: async (body: UserRequest) => (await sdk.createUser({ body })).data,
  edit: async (id: string, body: UserPatch) => (await sdk.editUser({ path: { user_id: id }, body })).data,
  remove: async (id: string) => {
    await sdk.deleteUser({ path: { user_id: id } });
  },
  endSession: async (id: string) => {
    await sdk.endSession({ path: { session_id: id } });
  },
};

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: async () => (await sdk.listUsers()).data.items,
});

/** Sessions of a person, or (null) one's own. */
export const sessionsQuery = (user: string | null) =>
  queryOptions({
    queryKey: ["sessions", user],
    queryFn: async () => (await sdk.listSessions({ query: user === null ? {} : { user } })).data.items,
  });

/** What is looked for among events. `since` and `until` Unix seconds. */
export interface EventWish {
  kind?: string;
  actor?: string;
  subject?: string;
  since?: number;
  until?: number;
}

const PAGE = 50;

/** Events that match, the newest first, page by page. */
export const auditQuery = (wish: EventWish) =>
  infiniteQueryOptions({
    queryKey: ["events", wish],
    queryFn: async ({ pageParam }) => {
      const before = pageParam === null ? {} : { before: pageParam };
      return (await sdk.listEvents({ query: { ...wish, ...before, limit: PAGE } })).data.items.reverse();
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length < PAGE ? undefined : page.at(-1)?.id),
  });

export const latestEventsQuery = (count: number) =>
  queryOptions({
    queryKey: ["events", "latest", count],
    queryFn: async () => (await sdk.listEvents({ query: { limit: count } })).data.items.reverse(),
  });
