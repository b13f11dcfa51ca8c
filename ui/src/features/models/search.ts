const TABS = ["replicas", "plan", "events"] as const;
export type Tab = (typeof TABS)[number];
const FORMS = ["local", "demo"] as const;
export type FormSource = (typeof FORMS)[number];

/** What the page shows, kept in its address: `open` deployment and its `tab`, `log` of a replica, a form. */
export interface ModelsSearch {
  open?: string;
  tab?: Tab;
  log?: string;
  deploy?: FormSource;
  edit?: string;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

function oneOf<T extends string>(values: readonly T[], value: unknown): T | undefined {
  return values.find((candidate) => candidate === value);
}

export function modelsSearch(search: Record<string, unknown>): ModelsSearch {
  const found = {
    open: text(search.open),
    tab: oneOf(TABS, search.tab),
    log: text(search.log),
    deploy: oneOf(FORMS, search.deploy),
    edit: text(search.edit),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
