/** Ways of writing with tags around a name and around its coordinates. */
import type { Convention, Shape } from "./shapes";
import { boxesOf, labelBefore, numbersIn, pairs, point } from "./shapes";

/** Reads pairs of a name (`open`…`close`) and its places, and places without any name. Places are what `places` matches;
 * a name holds for all places up to the next name. */
function readTagged(
  text: string,
  name: RegExp,
  places: RegExp,
  read: (inner: string, label: string) => Shape[],
): Shape[] {
  const names = [...text.matchAll(name)];
  let last = 0;
  return [...text.matchAll(places)].flatMap((match) => {
    const before = names.filter((candidate) => candidate.index < match.index && candidate.index >= last).at(-1);
    const label = before?.[1]?.trim() ?? (last === 0 ? labelBefore(text.slice(0, match.index)) : "");
    if (before) last = before.index;
    return read(match[1] ?? "", label);
  });
}

/** Two numbers are a point, four a box, eight a quadrilateral. */
function shapesOf(inner: string, label: string): Shape[] {
  const numbers = numbersIn(inner);
  if (numbers.length === 8 && !/\]\s*,\s*\[/.test(inner)) return [{ kind: "polygon", label, points: pairs(numbers) }];
  if (numbers.length >= 4) return boxesOf(numbers, label);
  return pairs(numbers).map(([x, y]) => point(x, y, label));
}

/** Qwen2-VL: `<|object_ref_start|>the cat<|object_ref_end|><|box_start|>(x1,y1),(x2,y2)<|box_end|>`, thousandths
 * (arXiv 2409.12191 §2.2; QwenLM/Qwen3-VL#866). Points and quadrilaterals have tags of their own. */
export const qwen2Tags: Convention = {
  name: "Qwen2-VL",
  frame: "0-1000",
  read: (text) =>
    readTagged(
      text,
      /<\|object_ref_start\|>([^<]*)<\|object_ref_end\|>/g,
      /<\|(?:box|point|quad)_start\|>([^<]*)<\|(?:box|point|quad)_end\|>/g,
      shapesOf,
    ),
};

/** DeepSeek-VL2 and DeepSeek-OCR: `<|ref|>the cat<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>`, 0 to 999
 * (deepseek-ai/DeepSeek-VL2, README and `serve/app_modules/utils.py: parse_ref_bbox`; #100 there). */
export const deepseek: Convention = {
  name: "DeepSeek-VL2",
  frame: "0-999",
  read: (text) => readTagged(text, /<\|ref\|>([^<]*)<\|\/ref\|>/g, /<\|det\|>([^<]*)<\|\/det\|>/g, shapesOf),
};

/** InternVL: `<ref>the cat</ref><box>[[x1, y1, x2, y2]]</box>` (InternVL docs, chat data format: grounding data);
 * Qwen-VL: `<box>(x1,y1),(x2,y2)</box>`; MiniCPM-V: `<box>x1 y1 x2 y2</box>`. All thousandths. */
export const boxTags: Convention = {
  name: "InternVL",
  frame: "0-1000",
  read: (text) =>
    readTagged(text, /<ref>([^<]*)<\/ref>/g, /<(?:box|quad|point)>([^<]*)<\/(?:box|quad|point)>/g, shapesOf),
};

/** GLM-4.1V and 4.5V: `<|begin_of_box|>[[x1,y1,x2,y2]]<|end_of_box|>`, thousandths (zai-org/GLM-V, README). The same
 * tags mark plain answers, which have other counts of numbers. */
export const glm: Convention = {
  name: "GLM-V",
  frame: "0-1000",
  read: (text) =>
    readTagged(text, /(?!)/g, /<\|begin_of_box\|>([^<]*)<\|end_of_box\|>/g, (inner, label) =>
      /^[\s[\](),.\d-]+$/.test(inner) && /[[(]/.test(inner) ? shapesOf(inner, label) : [],
    ),
};

/** Molmo: `<point x="10.5" y="20" alt="cat">cat</point>`, `<points x1="…" y1="…" x2="…" y2="…" alt="cats">`, in per
 * cent (allenai/Molmo-7B-D-0924, model card). */
export const molmo: Convention = {
  name: "Molmo",
  frame: "0-100",
  read: (text) =>
    [...text.matchAll(/<points?\s([^>]*)>/g)].flatMap((match) => {
      const attributes = match[1] ?? "";
      const label = /alt="([^"]*)"/.exec(attributes)?.[1] ?? "";
      return [...attributes.matchAll(/\bx(\d*)="([\d.]+)"\s+y\1="([\d.]+)"/g)].map((pair) =>
        point(Number(pair[2]), Number(pair[3]), label),
      );
    }),
};

/** Molmo 2: `<points coords="1 1 123 456 2 789 012">cats</points>`: the picture's number, then a number and thousandths
 * for each point (allenai/Molmo2, model card: `extract_image_points`). */
export const molmo2: Convention = {
  name: "Molmo 2",
  frame: "0-1000",
  read: (text) =>
    [...text.matchAll(/<points?\s[^>]*coords="([^"]*)"[^>]*>([^<]*)/g)].flatMap((match) =>
      [...(match[1] ?? "").matchAll(/(?:^|[\s;])\d+\s+(\d{3,4})\s+(\d{3,4})/g)].map((pair) =>
        point(Number(pair[1]), Number(pair[2]), (match[2] ?? "").trim()),
      ),
    ),
};
