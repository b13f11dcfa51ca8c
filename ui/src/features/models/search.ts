import type { Hub, HubSort } from "@/api/hub";
import { SORTS } from "@/api/hub";
import { SPANS } from "@/api/overview";
import type { ModelSize } from "@/lib/modelSizes";
import { MODEL_SIZES } from "@/lib/modelSizes";

const TABS = ["replicas", "logs", "metrics", "plan", "api", "events"] as const;
export type Tab = (typeof TABS)[number];
const FORMS = ["hf", "ms", "local", "demo"] as const;
export type FormSource = (typeof FORMS)[number];

export const isHub = (form: FormSource | undefined): form is Hub => form === "hf" || form === "ms";

/**
 * What the page shows, kept in its address: `open` deployment and its `tab`, `log` of a replica, `span` of the charts,
 * a form. While a model
 * is looked for on a hub: the words `q`, `gguf` only, `vision` only, the `size`, the order; the chosen repository `repo` and its files `files`.
 * `source`: what is to be deployed, where that is known already; `args`: engine arguments to begin with; `family`: the one of the
 * catalog that led here.
 */
export interface ModelsSearch {
  open?: string;
  tab?: Tab;
  log?: string;
  span?: (typeof SPANS)[number];
  deploy?: FormSource;
  edit?: string;
  copy?: string;
  q?: string;
  gguf?: true;
  vision?: true;
  size?: ModelSize;
  sort?: HubSort;
  repo?: string;
  files?: string;
  source?: string;
  args?: string[];
  family?: string;
}

/** The keys that belong to a form and go with it. */
const OF_FORMS = [
  "deploy",
  "edit",
  "copy",
  "q",
  "gguf",
  "vision",
  "size",
  "sort",
  "repo",
  "files",
  "source",
  "args",
  "family",
] as const;

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

function texts(value: unknown): string[] | undefined {
  const found = Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  return found.length > 0 ? found : undefined;
}

function oneOf<T extends string>(values: readonly T[], value: unknown): T | undefined {
  return values.find((candidate) => candidate === value);
}

export function modelsSearch(search: Record<string, unknown>): ModelsSearch {
  const found = {
    open: text(search.open),
    tab: oneOf(TABS, search.tab),
    log: text(search.log),
    span: oneOf(SPANS, search.span),
    deploy: oneOf(FORMS, search.deploy),
    edit: text(search.edit),
    copy: text(search.copy),
    q: text(search.q),
    gguf: search.gguf === true || undefined,
    vision: search.vision === true || undefined,
    size: oneOf(MODEL_SIZES, search.size),
    sort: oneOf(SORTS, search.sort),
    repo: text(search.repo),
    files: text(search.files),
    source: text(search.source),
    args: texts(search.args),
    family: text(search.family),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The address once no form is open. */
export function withoutForm(search: ModelsSearch): ModelsSearch {
  const gone = new Set<string>(OF_FORMS);
  return Object.fromEntries(Object.entries(search).filter(([key]) => !gone.has(key)));
}
