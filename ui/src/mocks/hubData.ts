import type { ChoiceView, HubFilesView, HubModelView, HubSettingsView, ReasonView } from "../api/generated/types.gen";
import { NOW } from "./data.ts";

const GIB = 1024 ** 3;
const COMMIT = "895c3a49bc3fa70a340399125c650a463535e71c";

function model(repository: string, wish: Partial<HubModelView> = {}): HubModelView {
  return {
    hub: "hf",
    repository,
    source: `hf://${repository}`,
    downloads: 12_345,
    likes: 87,
    updated_at: NOW - 86_400,
    license: "apache-2.0",
    gated: false,
    gguf: repository.endsWith("GGUF"),
    capabilities: ["chat", "vision"],
    engines: repository.endsWith("GGUF") ? ["llama.cpp"] : ["vllm"],
    parameters: 2_208_985_600,
    size: null,
    fit: "unknown",
    ...wish,
  };
}

export const HUB_MODELS: HubModelView[] = [
  model("bartowski/Qwen2-VL-2B-Instruct-GGUF", { downloads: 1_204_311, likes: 48, fit: "fits" }),
  model("Qwen/Qwen2-VL-7B-Instruct", {
    downloads: 3_912_004,
    likes: 1204,
    parameters: 8_291_375_616,
    size: 15.4 * GIB,
    fit: "fits",
  }),
  model("meta-llama/Llama-3.2-11B-Vision-Instruct", {
    downloads: 902_113,
    likes: 1533,
    license: "llama3.2",
    gated: true,
    parameters: 10_670_220_835,
    size: 19.9 * GIB,
    fit: "waits",
    capabilities: ["chat", "vision", "tools"],
  }),
  model("microsoft/Phi-3.5-vision-instruct", { license: "mit", parameters: 4_146_621_440, size: 7.7 * GIB }),
  model("Qwen/Qwen2-VL-72B-Instruct", { parameters: 73_405_560_320, size: 136.7 * GIB, fit: "no", likes: 312 }),
  ...Array.from({ length: 34 }, (_, index) =>
    model(`community/a-vision-model-with-quite-a-long-name-number-${index + 1}-GGUF`, {
      downloads: 900 - index,
      likes: 3,
      license: null,
      parameters: 494_000_000,
    }),
  ),
];

function choice(repository: string, quantization: string | null, gib: number, wish: Partial<ChoiceView>): ChoiceView {
  return {
    quantization,
    source: `hf://${repository}@${COMMIT}${quantization ? `:${quantization}` : ""}`,
    engine: quantization ? "llama.cpp" : "vllm",
    files: ["model.gguf"],
    size: gib * GIB,
    projector: null,
    projectors: [],
    default: false,
    fit: "fits",
    fit_message: `Needs ${(gib * 1.2 + 0.5).toFixed(1)} GiB; 78.4 GiB are free on NVIDIA H100 80GB.`,
    memory_high: gib * 1.2 * GIB,
    level: "whole",
    refused: null,
    ...wish,
  };
}

const QUANTIZATIONS: [string, number][] = [
  ["Q2_K", 1.9],
  ["Q3_K_M", 2.0],
  ["Q4_K_M", 2.16],
  ["Q5_K_M", 2.3],
  ["Q6_K", 2.4],
  ["Q8_0", 2.77],
  ["F16", 4.1],
];
const PROJECTOR = "mmproj-Qwen2-VL-2B-Instruct-f16.gguf";

const reason = (code: string, message: string, remedy: string): ReasonView => ({ code, params: {}, message, remedy });

const GATED = reason(
  "repository_gated",
  "meta-llama/Llama-3.2-11B-Vision-Instruct may only be used by people who accepted its licence.",
  "Accept the licence on the model's page with the account that the token belongs to, then try again.",
);
const TOO_OLD = reason(
  "gguf_unsupported",
  "The type of these weights is not known to llama.cpp.",
  "Choose another quantization.",
);
const UNQUANTIZED = reason("note_unquantized", "The weights are stored in bfloat16.", "");

/** What a repository offers; the guide's GGUF repository, a gated one, one with code of its own. */
export function hubFiles(repository: string, approved: boolean): HubFilesView {
  const found = HUB_MODELS.find((candidate) => candidate.repository === repository) ?? model(repository);
  const gated = found.gated;
  const code = repository.startsWith("microsoft/");
  const quantized = found.gguf
    ? QUANTIZATIONS.map(([name, gib]) =>
        choice(repository, name, gib, {
          projector: PROJECTOR,
          projectors: [PROJECTOR, PROJECTOR.replace("f16", "f32")],
          default: name === "Q4_K_M",
          ...(name === "Q2_K" && { refused: TOO_OLD, fit: "unknown" }),
        }),
      )
    : [choice(repository, null, 7.7, { files: Array.from({ length: 12 }, (_, n) => `file-${n}`), default: true })];
  return {
    hub: "hf",
    repository,
    revision: COMMIT,
    architecture: "qwen2vl",
    capabilities: found.capabilities,
    context_length: 32_768,
    parameters: found.parameters,
    license: found.license,
    gated,
    choices: gated ? [] : quantized,
    code_files: code ? ["modeling_phi3_v.py", "processing_phi3_v.py", "configuration_phi3_v.py"] : [],
    code_approved: approved,
    notes: code ? [UNQUANTIZED] : [],
    problem: gated ? GATED : null,
  };
}

export const README = `# Qwen2-VL-2B-Instruct

<p align="center"><img src="https://example.com/logo.png" width="400"></p>

[Licence](LICENSE) · [Paper](https://arxiv.org/abs/2409.12191) · [bad](javascript:alert(1))

![a picture](https://example.com/tracker.png)

| benchmark | 2B | 7B |
|---|---|---|
| DocVQA | 90.1 | 94.5 |

\`\`\`python
model = Qwen2VLForConditionalGeneration.from_pretrained("Qwen/Qwen2-VL-2B-Instruct")
\`\`\`
`;

export const HUB_SETTINGS: HubSettingsView = {
  huggingface_endpoint: "https://huggingface.co",
  modelscope_endpoint: "https://modelscope.cn",
  proxy: null,
  rate_limit: null,
  offline: false,
  origins: {
    huggingface_endpoint: "default",
    modelscope_endpoint: "default",
    proxy: "default",
    rate_limit: "default",
    offline: "default",
  },
  tokens: [
    { hub: "hf", present: true, origin: "start", hint: "x7Qa", updated_at: null },
    { hub: "ms", present: false, origin: null, hint: null, updated_at: null },
  ],
};

export const OFFLINE = reason(
  "hub_offline",
  "aiMindServe works offline: no hub is asked.",
  "Switch offline work off under Settings, or deploy a local path.",
);
