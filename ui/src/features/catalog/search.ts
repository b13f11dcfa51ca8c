import type { Capability, CatalogWish } from "@/api/catalog";
import { CAPABILITIES } from "@/api/catalog";
import type { ModelSize } from "@/lib/modelSizes";
import { boundsOf, MODEL_SIZES } from "@/lib/modelSizes";

/** What the page shows, kept in its address: words (`q`), filters, the hub to deploy from, the `open` family. */
export interface CatalogSearch {
  q?: string;
  capability?: Capability;
  fits?: true;
  size?: ModelSize;
  source?: "ms";
  open?: string;
}

const text = (value: unknown): string | undefined => {
  // The router reads a bare number in an address as a number.
  const words = typeof value === "number" ? String(value) : value;
  return typeof words === "string" && words ? words : undefined;
};

export function catalogSearch(search: Record<string, unknown>): CatalogSearch {
  const found = {
    q: text(search.q),
    capability: CAPABILITIES.find((capability) => capability === search.capability),
    fits: search.fits === true ? true : undefined,
    size: MODEL_SIZES.find((size) => size === search.size),
    source: search.source === "ms" ? "ms" : undefined,
    open: text(search.open),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

export function wishOf({ q, capability, fits, size, source }: CatalogSearch): CatalogWish {
  return { q: q ?? "", capability: capability ?? null, fits: fits ?? false, source: source ?? "hf", ...boundsOf(size) };
}

/** Whether anything narrows the list. */
export const isNarrow = ({ q, capability, fits, size }: CatalogSearch): boolean =>
  [q, capability, fits, size].some((value) => value !== undefined);
