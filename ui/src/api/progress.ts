import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { FilesView } from "./generated/types.gen";
import type { DeploymentView, TransferProgress } from "./generated/types.gen";
import { deploymentsQuery, filesQuery } from "./queries";

/** How downloads on a node stand: by key of the model files, and by id of the replica that waits for them. */
export interface ProgressEvent {
  node_id: string;
  files: Record<string, TransferProgress>;
  replicas: Record<string, TransferProgress>;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isProgress = (value: unknown): value is TransferProgress =>
  isFields(value) && typeof value.done === "number" && typeof value.total === "number";

function progresses(value: unknown): Record<string, TransferProgress> {
  if (!isFields(value)) return {};
  const found = Object.entries(value).flatMap(([id, progress]) =>
    isProgress(progress) ? [[id, { ...progress, rate: progress.rate ?? null, eta: progress.eta ?? null }]] : [],
  );
  return Object.fromEntries(found) as Record<string, TransferProgress>;
}

/** The text of a `progress` event; null where it is none. */
export function parseProgress(text: string): ProgressEvent | null {
  try {
    const data: unknown = JSON.parse(text);
    if (!isFields(data) || typeof data.node_id !== "string") return null;
    return { node_id: data.node_id, files: progresses(data.files), replicas: progresses(data.replicas) };
  } catch {
    return null; // Not JSON: a server of another version. The next change brings everything.
  }
}

/** Changes what is shown and nothing else: what was out of date stays so, and is asked for when it is next needed. */
function patch<T>(queries: QueryClient, key: QueryKey, change: (old: T) => T): void {
  const state = queries.getQueryState<T>(key);
  if (state?.data === undefined || state.isInvalidated) return;
  queries.setQueryData(key, change(state.data), { updatedAt: state.dataUpdatedAt });
}

function withFiles(old: FilesView, { node_id, files }: ProgressEvent): FilesView {
  const items = old.items.map((item) => {
    const progress = item.node_id === node_id ? files[item.key] : undefined;
    return progress ? { ...item, progress } : item;
  });
  return { ...old, items };
}

function withReplicas(old: DeploymentView, { replicas }: ProgressEvent): DeploymentView {
  if (!old.replicas.some((replica) => replica.id in replicas)) return old;
  const next = old.replicas.map((replica) => ({ ...replica, download: replicas[replica.id] ?? replica.download }));
  return { ...old, replicas: next };
}

/** Writes how downloads stand into what the pages show, without asking the server. What is not shown is left alone. */
export function applyProgress(queries: QueryClient, event: ProgressEvent): void {
  patch<FilesView>(queries, filesQuery.queryKey, (old) => withFiles(old, event));
  patch<DeploymentView[]>(queries, deploymentsQuery.queryKey, (old) =>
    old.map((deployment) => withReplicas(deployment, event)),
  );
}
