import type { Capability, CatalogWish } from "@/api/catalog";
import { CAPABILITIES } from "@/api/catalog";

/** Sizes in parameters, as people think of them: from, and up to. */
export const SIZES = {
  tiny: { least: null, most: 3e9 },
  small: { least: 3e9, most: 1e10 },
  medium: { least: 1e10, most: 4e10 },
  large: { least: 4e10, most: null },
} as const;
export type Size = keyof typeof SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as Size[];

/** What the page shows, kept in its address: words (`q`), filters, the hub to deploy from, the `open` family. */
export interface CatalogSearch {
  q?: string;
  capability?: Capability;
  fits?: true;
  size?: Size;
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
    size: SIZE_NAMES.find((size) => size === search.size),
    source: search.source === "ms" ? "ms" : undefined,
    open: text(search.open),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

export function wishOf({ q, capability, fits, size, source }: CatalogSearch): CatalogWish {
  const bounds = size ? SIZES[size] : { least: null, most: null };
  return { q: q ?? "", capability: capability ?? null, fits: fits ?? false, source: source ?? "hf", ...bounds };
}

/** Whether anything narrows the list. */
export const isNarrow = ({ q, capability, fits, size }: CatalogSearch): boolean =>
  [q, capability, fits, size].some((value) => value !== undefined);
