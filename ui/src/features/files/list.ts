import type { FilesView, ModelFilesView, ModelState, StoreView } from "@/api/generated/types.gen";
import type { FilesSearch, Order } from "./search";

/** What needs a person first. */
const URGENCY: Record<ModelState, number> = { failed: 0, downloading: 1, queued: 2, paused: 3, ready: 4 };

const byName = (a: ModelFilesView, b: ModelFilesView): number =>
  a.name.localeCompare(b.name, "en", { numeric: true }) || a.source.localeCompare(b.source, "en");

const COMPARE: Record<Order, (a: ModelFilesView, b: ModelFilesView) => number> = {
  name: byName,
  size: (a, b) => b.size - a.size || byName(a, b),
  state: (a, b) => URGENCY[a.state] - URGENCY[b.state] || byName(a, b),
};

/** One name for an entry on this page: the same files may lie on several machines. */
export const entryId = ({ node_id, key }: ModelFilesView): string => `${node_id}/${key}`;

function matches(item: ModelFilesView, { q, state, node }: FilesSearch): boolean {
  if ((state && item.state !== state) || (node && item.node_id !== node)) return false;
  const words = [item.name, item.source, item.quantization ?? "", item.architecture, ...item.used_by];
  const all = words.join(" ").toLowerCase();
  return (q ?? "")
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** A machine's store with its entries that are shown. */
export interface Shelf {
  store: StoreView;
  items: ModelFilesView[];
  /** How many there are without filters. */
  count: number;
}

/** The machines by name, each with what matches, in the order asked for. */
export function shelves({ items, stores }: FilesView, search: FilesSearch): Shelf[] {
  const compare = COMPARE[search.sort ?? "name"];
  return [...stores]
    .sort((a, b) => a.node.localeCompare(b.node, "en", { numeric: true }))
    .filter((store) => !search.node || store.node_id === search.node)
    .map((store) => {
      const here = items.filter((item) => item.node_id === store.node_id);
      return { store, items: here.filter((item) => matches(item, search)).sort(compare), count: here.length };
    });
}

/** Sources that are known here, for the dialog to offer; each once. */
export function knownSources({ items }: FilesView, deployed: readonly string[]): string[] {
  const sources = [...deployed, ...items.map((item) => item.source)];
  return [...new Set(sources)].filter((source) => /^(hf|ms):/.test(source)).sort();
}

/** Whether `text` looks like something that can be on a machine; the server checks the rest. */
export const validSource = (text: string): boolean =>
  /^(hf|ms):\/\/[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][^\s]*$/.test(text.trim()) || /^(file:\/\/)?\/.+/.test(text.trim());

export const isLocal = (source: string): boolean => /^(file:\/\/)?\//.test(source.trim());
