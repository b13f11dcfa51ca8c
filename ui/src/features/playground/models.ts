import type { TFunction } from "i18next";
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

/** The questions that the demo model was trained on; it knows no other language. */
const DEMO_EXAMPLES = ["Describe this image.", "What colour is the circle?", "How many shapes are there?"] as const;

/** Questions to begin with, the most general one first. */
export function exampleQuestions(model: DeploymentView, t: TFunction): readonly string[] {
  if (isDemo(model)) return DEMO_EXAMPLES;
  return [t("playground.examples.describe"), t("playground.examples.text"), t("playground.examples.count")];
}

export function defaultSampling(model: DeploymentView | undefined): Sampling {
  const demo = model !== undefined && isDemo(model);
  return { system: "", temperature: demo ? 0 : 0.7, topP: 1, maxTokens: demo ? 64 : 1024 };
}
