import { bare, clicks, json } from "./json";
import type { Convention, Grounding } from "./shapes";
import { boxTags, deepseek, glm, molmo, molmo2, qwen2Tags } from "./tags";
import { florence, paligemma } from "./tokens";

/** The surest first: what has tags of its own cannot be taken for anything else. */
const CONVENTIONS: readonly Convention[] = [
  qwen2Tags,
  deepseek,
  boxTags,
  glm,
  paligemma,
  florence,
  molmo2,
  molmo,
  clicks,
  json,
  bare,
];

/** More than anybody can tell apart. */
const MOST = 500;

/** The boxes and points that an answer names; null where it names none. `hint`: what the model calls itself. */
export function readGrounding(text: string, hint = ""): Grounding | null {
  const lower = hint.toLowerCase();
  for (const convention of CONVENTIONS) {
    const shapes = convention.read(text, lower).slice(0, MOST);
    if (shapes.length === 0) continue;
    const { frame, name } = convention;
    return { convention: name, frame: typeof frame === "string" ? frame : frame(shapes, lower), shapes };
  }
  return null;
}
