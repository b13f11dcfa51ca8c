import type { Hub } from "@/api/hub";
import { hubPage } from "@/lib/hubs";

const SOURCE = /^(hf|ms):\/\/([^/@:]+\/[^/@:]+)(@[^:]+?)?((?::[^/]+)|(?:\/.+))?$/;
const REVISION_PATHS: Record<Hub, string> = { hf: "/tree/", ms: "/files?version=" };

/** A model's page on its hub, at the revision that lies on the disk where that is known. */
export interface ModelPage {
  repository: string;
  url: string;
}

/** Where the repository of `source` is shown; null for what is on no hub. */
export function modelPage(source: string, revision: string | null): ModelPage | null {
  const [, hub, repository] = SOURCE.exec(source) ?? [];
  if (!repository || (hub !== "hf" && hub !== "ms")) return null;
  const at = revision === null ? "" : REVISION_PATHS[hub] + encodeURIComponent(revision);
  return { repository, url: hubPage(hub, repository) + at };
}

interface Stored {
  source: string;
  revision: string | null;
  quantization: string | null;
  files: readonly { path: string }[];
}

/** The source of exactly these files: at the commit that lies on the disk, and of that GGUF quantization. */
export function exactSource({ source, revision, quantization, files }: Stored): string {
  const [, hub, repository, at, rest] = SOURCE.exec(source) ?? [];
  if (!hub || !repository) return source;
  const gguf = files.some((file) => file.path.endsWith(".gguf"));
  const chosen = rest ?? (gguf && quantization ? `:${quantization}` : "");
  return `${hub}://${repository}${at ?? (revision === null ? "" : `@${revision}`)}${chosen}`;
}

/** A commit id as people quote it; other revisions as they are. */
export const shortRevision = (revision: string): string =>
  /^[0-9a-f]{16,}$/.test(revision) ? revision.slice(0, 8) : revision;

/** A source as people write it: a path for a local one, and no commit, which stands beside it. */
export const sourceText = (source: string): string => source.replace(/^file:\/\//, "").replace(/@[0-9a-f]{40}/, "");
