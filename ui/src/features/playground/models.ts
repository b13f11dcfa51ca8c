import type { DeploymentView } from "@/api/generated/types.gen";
import type { Sampling } from "./sampling";
import { SAMPLING } from "./sampling";
import type { Tab } from "./search";

export const seesPictures = (model: DeploymentView): boolean => model.capabilities.includes("vision");

/** The models that come along for trying out: tiny, trained on squares and on single questions. */
export const isDemo = (model: DeploymentView): boolean => model.spec.source.startsWith("demo://");

/** What a model calls itself, for what depends on its family. */
export const hintOf = (model: DeploymentView): string =>
  `${model.architecture ?? ""} ${model.spec.source} ${model.name}`;

const NEEDED: Record<Tab, string> = { chat: "chat", compare: "chat", embeddings: "embedding", rerank: "rerank" };

/** The models that a tab can ask. One whose capabilities are not known yet is not left out. */
export const modelsFor = (tab: Tab, models: readonly DeploymentView[]): DeploymentView[] =>
  models.filter(({ capabilities }) => capabilities.length === 0 || capabilities.includes(NEEDED[tab]));

const rank = (model: DeploymentView): number =>
  (modelsFor("chat", [model]).length ? 0 : 4) + (model.phase === "ready" ? 0 : 2) + (seesPictures(model) ? 0 : 1);

/** The model to ask: the one named in the address, else a ready one, best one that sees pictures. */
export function chooseModel(models: readonly DeploymentView[], wish: string | undefined): DeploymentView | undefined {
  const named = models.find((model) => model.name === wish);
  return named ?? [...models].sort((a, b) => rank(a) - rank(b))[0];
}

/** The questions that the demo model was trained on; it knows no other language. */
export const DEMO_QUESTIONS = [
  "Describe this image.",
  "What colour is the circle?",
  "How many shapes are there?",
] as const;

export function defaultSampling(model: DeploymentView | undefined): Sampling {
  const demo = model !== undefined && isDemo(model);
  return demo ? { ...SAMPLING, temperature: 0, maxTokens: 64, memory: false } : SAMPLING;
}
