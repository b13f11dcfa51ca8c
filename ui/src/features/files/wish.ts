import { isLocal, validSource } from "./list";

/** What a person filled in. */
export interface Draft {
  source: string;
  nodes: readonly string[];
  /** Whether the files of a path are copied; null while nobody said so. */
  copied: boolean | null;
  /** The repository that brought files come from; empty where the folder tells. */
  from: string;
}

export interface Wish {
  source: string;
  nodes: string[];
  /** Copy from the path that `source` names into the store of one machine. */
  bring: boolean;
  from: string;
}

type Words = "files.importStart" | "files.addPath" | "files.addStart";
type Trouble = "files.nodesNeeded" | "files.oneNode" | null;

const MOUNTED = /^(file:\/\/)?\/(media|mnt|run\/media|Volumes)\//;

/** Whether the files of a path are copied: as a person said, else what lies on a disk that may go. */
function isBrought({ source, copied }: Draft): boolean {
  return isLocal(source) && (copied ?? MOUNTED.test(source));
}

function troubleWith(nodes: readonly string[], bring: boolean): Trouble {
  if (nodes.length === 0) return "files.nodesNeeded";
  return bring && nodes.length > 1 ? "files.oneNode" : null;
}

function isRepository(source: string): boolean {
  return validSource(source) && !isLocal(source);
}

/** What a draft asks for, what stands in its way, and how its button is called. */
export function wishOf(draft: Draft): { wish: Wish; valid: boolean; trouble: Trouble; words: Words } {
  const source = draft.source.trim();
  const from = draft.from.trim();
  const bring = isBrought({ ...draft, source });
  const trouble = troubleWith(draft.nodes, bring);
  const known = !bring || from === "" || isRepository(from);
  const words = bring ? "files.importStart" : isLocal(source) ? "files.addPath" : "files.addStart";
  const valid = validSource(source) && known && trouble === null;
  return { wish: { source, nodes: [...draft.nodes], bring, from }, valid, trouble, words };
}
