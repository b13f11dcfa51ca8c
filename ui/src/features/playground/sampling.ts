/** How a model is asked. `memory`: earlier turns go along. `schema`, `tools`: JSON as a person typed it, "" for none.
 * `specialTokens`: tags that an engine would leave out, such as those around boxes, stay in the answer. */
export interface Sampling {
  system: string;
  temperature: number;
  topP: number;
  maxTokens: number;
  presencePenalty: number;
  frequencyPenalty: number;
  seed: number | null;
  stop: string[];
  memory: boolean;
  schema: string;
  tools: string;
  specialTokens: boolean;
}

export const SAMPLING: Sampling = {
  system: "",
  temperature: 0.7,
  topP: 1,
  maxTokens: 1024,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: null,
  stop: [],
  memory: true,
  schema: "",
  tools: "",
  specialTokens: false,
};

/** What people mean when they say how free an answer should be. */
export const PRESETS = {
  precise: { temperature: 0, topP: 1 },
  balanced: { temperature: 0.7, topP: 1 },
  creative: { temperature: 1.1, topP: 0.95 },
} as const;
export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as Preset[];

/** The preset that these parameters are; null for somebody's own. */
export function presetOf(sampling: Sampling): Preset | null {
  const same = (name: Preset): boolean =>
    PRESETS[name].temperature === sampling.temperature && PRESETS[name].topP === sampling.topP;
  return PRESET_NAMES.find(same) ?? null;
}

type Json = Record<string, unknown>;

/** Text as JSON; `undefined` where it is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The JSON Schema of the answer: null for none, `undefined` where the text is not one. */
export function schemaOf(sampling: Sampling): Json | null | undefined {
  if (sampling.schema.trim() === "") return null;
  const value = parse(sampling.schema);
  return isObject(value) ? value : undefined;
}

export interface Tool {
  type: "function";
  function: Json & { name: string };
}

function toolOf(value: unknown): Tool | null {
  const inner = isObject(value) && isObject(value.function) ? value.function : value;
  if (!isObject(inner) || typeof inner.name !== "string" || inner.name === "") return null;
  return { type: "function", function: { ...inner, name: inner.name } };
}

/** Tools as OpenAI defines them, or their functions alone, in a list or one; null for none, `undefined` where the text
 * is not that. */
export function toolsOf(sampling: Sampling): Tool[] | null | undefined {
  if (sampling.tools.trim() === "") return null;
  const value = parse(sampling.tools);
  const tools = (Array.isArray(value) ? value : [value]).map(toolOf);
  return tools.length > 0 && tools.every((tool) => tool !== null) ? tools : undefined;
}

/** Whether everything that was typed can be sent. */
export const isSendable = (sampling: Sampling): boolean =>
  schemaOf(sampling) !== undefined && toolsOf(sampling) !== undefined;
