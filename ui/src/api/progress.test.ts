import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { DOWNLOAD, makeDeployment, makeReplica } from "@/mocks/data";
import { firstFiles, makeFiles } from "@/mocks/filesData";
import { applyProgress, parseProgress } from "./progress";
import { deploymentsQuery, filesQuery } from "./queries";

const KEY = makeFiles().key;
const NEXT = { done: 5, total: 10, rate: 1, eta: 5 };

function shown(): QueryClient {
  const queries = new QueryClient();
  const replicas = [makeReplica({ id: "r-1", phase: "downloading", download: DOWNLOAD }), makeReplica({ id: "r-2" })];
  queries.setQueryData(deploymentsQuery.queryKey, [makeDeployment({ replicas }), makeDeployment({ name: "other" })]);
  queries.setQueryData(filesQuery.queryKey, firstFiles());
  return queries;
}

describe("parseProgress", () => {
  it("reads what it knows and drops the rest", () => {
    const text = JSON.stringify({ node_id: "n-1", files: { a: { done: 1, total: 2 }, b: "half" }, replicas: null });
    expect(parseProgress(text)).toEqual({
      node_id: "n-1",
      files: { a: { done: 1, total: 2, rate: null, eta: null } },
      replicas: {},
    });
  });

  it.each(["", "{", "null", "[]", '{"node_id": 1}'])("is null for %j", (text) => {
    expect(parseProgress(text)).toBeNull();
  });
});

describe("applyProgress", () => {
  it("changes the entry on that machine and the replica, and nothing else", () => {
    const queries = shown();
    const before = queries.getQueryData(deploymentsQuery.queryKey);
    applyProgress(queries, { node_id: "n-1", files: { [KEY]: NEXT, gone: NEXT }, replicas: { "r-1": NEXT } });
    const files = queries.getQueryData(filesQuery.queryKey)?.items ?? [];
    expect(files.filter((item) => item.progress.done === NEXT.done).map((item) => item.key)).toEqual([KEY]);
    const after = queries.getQueryData(deploymentsQuery.queryKey);
    expect(after?.[0]?.replicas.map((replica) => replica.download)).toEqual([NEXT, null]);
    expect(after?.[1]).toBe(before?.[1]);
  });

  it("leaves other machines alone", () => {
    const queries = shown();
    applyProgress(queries, { node_id: "n-2", files: { [KEY]: NEXT }, replicas: {} });
    expect(queries.getQueryData(filesQuery.queryKey)).toEqual(firstFiles());
  });

  it("does not make old data look new", async () => {
    const queries = shown();
    const age = queries.getQueryState(filesQuery.queryKey)?.dataUpdatedAt;
    applyProgress(queries, { node_id: "n-1", files: { [KEY]: NEXT }, replicas: {} });
    expect(queries.getQueryState(filesQuery.queryKey)?.dataUpdatedAt).toBe(age);
    await queries.invalidateQueries(filesQuery);
    applyProgress(queries, { node_id: "n-1", files: { [KEY]: { ...NEXT, done: 9 } }, replicas: {} });
    expect(queries.getQueryState(filesQuery.queryKey)?.isInvalidated).toBe(true);
  });

  it("waits for the first answer", () => {
    const queries = new QueryClient();
    applyProgress(queries, { node_id: "n-1", files: { [KEY]: NEXT }, replicas: {} });
    expect(queries.getQueryData(filesQuery.queryKey)).toBeUndefined();
  });
});
