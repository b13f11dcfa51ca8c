import type { ReasonView, TransferProgress } from "./generated/types.gen";
export type FileAction = "pause" | "resume" | "retry" | "delete" | "forget" | "deploy";
export type ModelState = "queued" | "downloading" | "ready" | "paused" | "failed";
export interface StoredFileView {
  path: string;
  role: string;
  size: number;
}
export interface ModelFilesView {
  node_id: string;
  node: string;
  key: string;
  kind: "store" | "local";
  source: string;
  revision: string | null;
  name: string;
  architecture: string;
  quantization: string | null;
  capabilities: string[];
  files: StoredFileView[];
  size: number;
  state: ModelState;
  progress: TransferProgress;
  path: string | null;
  freed: number;
  used_by: string[];
  reasons: ReasonView[];
  retry_at: number | null;
  allowed_actions: FileAction[];
}
export interface StoreView {
  node_id: string;
  node: string;
  path: string;
  used: number;
  disk_free: number | null;
}
export interface FilesView {
  items: ModelFilesView[];
  stores: StoreView[];
}
export interface DownloadRequest {
  source: string;
  projector?: string | null;
  nodes?: string[];
}
