const REPOSITORY = /^(hf|ms):\/\/([^/]+\/[^/@:]+)/;

/** A model's page on its hub, at the revision that lies on the disk where that is known. */
export interface HubPage {
  repository: string;
  url: string;
}

/** Where the repository of `source` is shown; null for what is on no hub. */
export function hubPage(source: string, revision: string | null): HubPage | null {
  const [, hub, repository] = REPOSITORY.exec(source) ?? [];
  if (!repository) return null;
  const path = repository.split("/").map(encodeURIComponent).join("/");
  const commit = encodeURIComponent(revision ?? "");
  if (hub === "hf") return { repository, url: `https://huggingface.co/${path}${commit && `/tree/${commit}`}` };
  return { repository, url: `https://modelscope.cn/models/${path}${commit && `/files?version=${commit}`}` };
}

/** A commit id as people quote it; other revisions as they are. */
export const shortRevision = (revision: string): string =>
  /^[0-9a-f]{16,}$/.test(revision) ? revision.slice(0, 8) : revision;

/** A source as people write it: a path for a local one. */
export const sourceText = (source: string): string => source.replace(/^file:\/\//, "");
