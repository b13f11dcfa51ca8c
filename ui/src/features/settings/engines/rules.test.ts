import { describe, expect, it } from "vitest";
import { firstEngines } from "@/mocks/engines";
import { neededFor, nodesWithout, sortedOffers } from "./rules";

const { items, offers, nodes } = firstEngines();
const named = (name: string) => {
  const found = offers.find((offer) => offer.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("offers", () => {
  it("that suit a machine come first", () => {
    expect(sortedOffers(offers, nodes).map((offer) => offer.name)).toEqual([
      "vllm==0.33.0+cuda",
      "vllm==0.18.1+cuda",
      "vllm==0.10.2+cuda",
      "vllm==0.32.0+cpu",
    ]);
  });

  it("are for machines that do not have them", () => {
    expect(nodesWithout(named("vllm==0.33.0+cuda"), nodes, items)).toEqual([]);
    expect(nodesWithout(named("vllm==0.32.0+cpu"), nodes, items)).toEqual(nodes);
    const failed = nodesWithout(named("vllm==0.18.1+cuda"), nodes, items);
    expect(failed, "one that failed can be ordered again").toEqual(nodes);
  });

  it("say what only they run, in names that people know", () => {
    expect(neededFor(named("vllm==0.10.2+cuda"))).toEqual({
      names: ["Llama 3.2 Vision", "DonutForConditionalGeneration", "MotifForCausalLM"],
      more: 1,
    });
    expect(neededFor(named("vllm==0.33.0+cuda"))).toEqual({ names: [], more: 0 });
  });
});
