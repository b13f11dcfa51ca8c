import type { EngineNodeView, EnvironmentView, OfferView } from "@/api/generated/types.gen";

/** Offers that suit some machine first, each kind newest first, as the server lists them. */
export function sortedOffers(offers: readonly OfferView[], nodes: readonly EngineNodeView[]): OfferView[] {
  const fits = (offer: OfferView): boolean => nodes.some((node) => node.variant === offer.variant);
  return [...offers.filter(fits), ...offers.filter((offer) => !fits(offer))];
}

/** Machines on which an offer is not there yet and not on its way. */
export function nodesWithout(
  offer: OfferView,
  nodes: readonly EngineNodeView[],
  items: readonly EnvironmentView[],
): EngineNodeView[] {
  const there = (node: EngineNodeView): boolean =>
    items.some(
      (item) =>
        item.node_id === node.node_id &&
        item.origin === "installed" &&
        item.engine === offer.engine &&
        item.version === offer.version &&
        item.variant === offer.variant &&
        item.state !== "failed",
    );
  return nodes.filter((node) => !there(node));
}

/** Model families that people know by another name than their architecture's. */
const FAMILIES: Record<string, string> = {
  MllamaForConditionalGeneration: "Llama 3.2 Vision",
  Phi4MultimodalForCausalLM: "Phi-4 multimodal",
  ChameleonForConditionalGeneration: "Chameleon",
  AyaVisionForConditionalGeneration: "Aya Vision",
};
const MOST_NAMED = 3;

/** What only this version runs: known families first, by their names, and how many more. */
export function neededFor(offer: OfferView): { names: string[]; more: number } {
  const known = offer.last_for.filter((name) => name in FAMILIES);
  const others = offer.last_for.filter((name) => !(name in FAMILIES));
  const names = [...known.map((name) => FAMILIES[name] ?? name), ...others].slice(0, MOST_NAMED);
  return { names, more: offer.last_for.length - names.length };
}
