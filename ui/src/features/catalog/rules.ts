import type { CatalogCardView, CatalogVariantView } from "@/api/generated/types.gen";
import { formatParameters } from "@/lib/format";

/** The variant that suits the machines best. */
export function bestOf(card: CatalogCardView): CatalogVariantView | undefined {
  return card.variants.find((variant) => variant.id === card.best);
}

/** The sizes of a family at a glance: `2.2B`, or from the smallest to the largest: `2.2B – 73.4B`. */
export function sizeRange(variants: readonly CatalogVariantView[]): string {
  const counts = variants.map((variant) => variant.parameters);
  const ends = [Math.min(...counts), Math.max(...counts)].map(formatParameters);
  return ends[0] === ends[1] ? (ends[0] ?? "") : ends.join(" – ");
}

/** The address of the form that deploys `variant`, filled in; with the family where the form can say why this one. */
export function deployAddress(card: CatalogCardView, variant: CatalogVariantView) {
  const [, hub, repo = "", files] = /^(hf|ms):\/\/([^:]+)(?::(.+))?$/.exec(variant.source) ?? [];
  return {
    deploy: hub === "ms" ? ("ms" as const) : ("hf" as const),
    repo,
    ...(variant.id === card.best && { family: card.name }),
    ...(files && { files }),
    ...(variant.arguments.length > 0 && { args: variant.arguments }),
  };
}

/** The variants of each model, in the order of the catalog. */
export function byModel(variants: readonly CatalogVariantView[]): [string, CatalogVariantView[]][] {
  const groups = new Map<string, CatalogVariantView[]>();
  for (const variant of variants) groups.set(variant.model, [...(groups.get(variant.model) ?? []), variant]);
  return [...groups];
}

/** An engine's proper name. */
export const engineName = (engine: string): string => (engine === "vllm" ? "vLLM" : engine);

/** How weights are stored, as people write it: `BF16`, `AWQ`, `Q4_K_M`. */
export const precision = (variant: CatalogVariantView): string =>
  variant.quantization === variant.quantization.toLowerCase()
    ? variant.quantization.toUpperCase()
    : variant.quantization;
