import type { DeploymentView } from "@/api/generated/types.gen";
import type { Sampling } from "./chat";

export const seesPictures = (model: DeploymentView): boolean => model.capabilities.includes("vision");

/** The models that come along for trying out: tiny, trained on squares and on single questions. */
export const isDemo = (model: DeploymentView): boolean => model.spec.source.startsWith("demo://");

const rank = (model: DeploymentView): number => (model.phase === "ready" ? 0 : 2) + (seesPictures(model) ? 0 : 1);

/** The model to ask: the one named in the address, else a ready one, best one that sees pictures. */
export function chooseModel(models: readonly DeploymentView[], wish: string | undefined): DeploymentView | undefined {
  const named = models.find((model) => model.name === wish);
  return named ?? [...models].sort((a, b) => rank(a) - rank(b))[0];
}

export function defaultSampling(model: DeploymentView | undefined): Sampling {
  const demo = model !== undefined && isDemo(model);
  return { system: "", temperature: demo ? 0 : 0.7, topP: 1, maxTokens: demo ? 64 : 1024 };
}
