import type { ServerResponse } from "node:http";
import type { CatalogCardView, CatalogVariantView } from "../api/generated/types.gen";
import { json, problem } from "./http.ts";

const variant = (model: string, quantization: string, about: Partial<CatalogVariantView>): CatalogVariantView => ({
  id: `${model}:${quantization}`,
  model,
  source: `hf://Qwen/${model}`,
  arguments: [],
  parameters: 2_208_985_600,
  active: null,
  quantization,
  bits: 16,
  engine: "vllm",
  engine_versions: null,
  context_length: 32768,
  download: 4_420_000_000,
  license: "apache-2.0",
  gated: false,
  code: false,
  uncertain: [],
  fit: "fits",
  fit_message: "",
  memory_high: 6_800_000_000,
  level: "whole",
  gpus: 1,
  ...about,
});

/** Three families: one that fits, one that is too large here, one that makes vectors. */
export function catalogCards(): CatalogCardView[] {
  const [small, large] = ["Qwen2-VL-2B-Instruct", "Llama-3.2-90B-Vision-Instruct"];
  const gguf = { source: "hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M", engine: "llama.cpp", bits: 4 };
  const tooLarge = {
    fit: "no",
    memory_high: null,
    level: null,
    fit_message: "It needs 195 GiB; the largest GPU has 79 GiB.",
  } as const;
  const vectors = { source: "hf://BAAI/bge-m3", parameters: 567_754_752, download: 1_135_000_000, license: "mit" };
  return [
    {
      name: "qwen2-vl",
      title: "Qwen2-VL",
      publisher: "Alibaba Qwen",
      description: "Describes pictures of any size, reads documents, charts and text in many languages.",
      notes: "",
      capabilities: ["chat", "vision"],
      license: "apache-2.0",
      gated: false,
      best: `${small}:bf16`,
      fit: "fits",
      why: "The largest that your GPUs hold now, in full precision: about 6.3 GiB.",
      variants: [variant(small, "bf16", {}), variant(small, "Q4_K_M", { ...gguf, download: 2_300_000_000 })],
    },
    {
      name: "llama-3.2-vision",
      title: "Llama 3.2 Vision",
      publisher: "Meta",
      description: "Meta's Llama with eyes: describes and discusses one picture per conversation.",
      notes: "Accept Meta's licence on the model's page first.",
      capabilities: ["chat", "vision"],
      license: "llama3.2",
      gated: true,
      best: `${large}:bf16`,
      fit: "no",
      why: `It cannot run here now: ${tooLarge.fit_message}`,
      variants: [
        variant(large, "bf16", {
          ...tooLarge,
          source: `hf://meta-llama/${large}`,
          arguments: ["--tokenizer-mode=mistral"],
          parameters: 88_600_000_000,
          download: 177_000_000_000,
          engine_versions: "<=0.10.2",
          license: "llama3.2",
          gated: true,
          code: true,
          uncertain: ["parameters"],
        }),
      ],
    },
    {
      name: "bge",
      title: "BGE",
      publisher: "BAAI",
      description: "Text to vectors, in many languages.",
      notes: "",
      capabilities: ["embedding"],
      license: "mit",
      gated: false,
      best: "bge-m3:fp16",
      fit: "waits",
      why: "It would fit, but other deployments hold the memory now.",
      variants: [variant("bge-m3", "fp16", { ...vectors, fit: "waits", memory_high: null, level: null })],
    },
  ];
}

/** The catalog of a server with one GPU. */
export function catalog(url: URL, response: ServerResponse): boolean {
  const path = url.pathname.replace("/api/v1/catalog", "");
  if (path === url.pathname) return false;
  const cards = catalogCards();
  const card = cards.find(({ name }) => path === `/${name}`);
  if (path && card) json(response, 200, card);
  else if (path) problem(response, 404, "not_found", "There is no such family.", "Look at the catalog.");
  else {
    const [words, capability] = [(url.searchParams.get("q") ?? "").toLowerCase(), url.searchParams.get("capability")];
    const items = cards.filter(
      ({ title, capabilities, fit }) =>
        title.toLowerCase().includes(words) &&
        (capability === null || capabilities.includes(capability)) &&
        (url.searchParams.get("fits") !== "true" || fit === "fits") &&
        url.searchParams.get("source") !== "ms",
    );
    json(response, 200, { items, total: cards.length, has_gpu: true });
  }
  return true;
}
