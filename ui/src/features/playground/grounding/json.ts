/** Boxes and points as JSON. */
import type { Convention, Frame, Shape } from "./shapes";
import { box, boxesOf, frameByValues, pairs, point, withLabels } from "./shapes";

type Fields = Record<string, unknown>;

const BOXES = ["bbox_2d", "box_2d", "bbox", "box", "bounding_box"] as const;
const POINTS = ["point_2d", "point", "points"] as const;
const LABELS = ["label", "name", "text_content", "text", "class", "category", "object", "description"] as const;
const CORNERS = [
  ["x1", "y1", "x2", "y2"],
  ["xmin", "ymin", "xmax", "ymax"],
  ["x_min", "y_min", "x_max", "y_max"],
  ["left", "top", "right", "bottom"],
] as const;

/** The objects without further objects in them, wherever they stand: in a code block, in a list, in a list that was cut
 * off. Python's quotes are read too. */
function flatObjects(text: string): Fields[] {
  return (text.match(/\{[^{}]*\}/g) ?? []).flatMap((piece) => {
    for (const candidate of [piece, piece.replaceAll("'", '"')]) {
      try {
        return [JSON.parse(candidate) as Fields];
      } catch {
        continue; // Not JSON this way.
      }
    }
    return [];
  });
}

function numbersAt(fields: Fields, keys: readonly string[]): { key: string; numbers: number[] } | null {
  for (const key of keys) {
    const value = fields[key];
    const flat: unknown[] = Array.isArray(value) ? (value as unknown[]).flat(2) : [];
    if (flat.length >= 2 && flat.every((item) => typeof item === "number")) return { key, numbers: flat };
  }
  return null;
}

const labelOf = (fields: Fields): string => {
  const found = LABELS.map((key) => fields[key]).find((value) => typeof value === "string");
  return typeof found === "string" ? found : "";
};

function cornersOf(fields: Fields, label: string): Shape[] {
  for (const keys of CORNERS) {
    const numbers = keys.map((key) => fields[key]);
    if (numbers.every((value) => typeof value === "number")) return boxesOf(numbers, label);
  }
  return [];
}

const swapped = (numbers: readonly number[]): number[] => pairs(numbers).flatMap(([y, x]) => [x, y]);

/** Gemma and Gemini name y first: `{"box_2d": [y1, x1, y2, x2]}`, `{"point": [y, x]}`, thousandths
 * (ai.google.dev, image understanding). GLM's `box_2d` has x first (zai-org/GLM-V#25). */
const namesYFirst = (key: string, hint: string): boolean =>
  (key === "box_2d" && !hint.includes("glm")) || (key === "point" && /gemma|gemini/.test(hint));

function shapesOf(fields: Fields, hint: string): Shape[] {
  const label = labelOf(fields);
  const boxes = numbersAt(fields, BOXES);
  if (boxes && boxes.numbers.length >= 4) {
    return boxesOf(namesYFirst(boxes.key, hint) ? swapped(boxes.numbers) : boxes.numbers, label);
  }
  const points = numbersAt(fields, POINTS);
  if (points) {
    const numbers = namesYFirst(points.key, hint) ? swapped(points.numbers) : points.numbers;
    return pairs(numbers).map(([x, y]) => point(x, y, label));
  }
  return cornersOf(fields, label);
}

/** Qwen2.5-VL names pixels of the picture as it was resized for it, Qwen3-VL thousandths again, both as
 * `{"bbox_2d": [x1, y1, x2, y2], "label": "cat"}` and `{"point_2d": [x, y], …}` (QwenLM/Qwen3-VL#676, #1486,
 * `cookbooks/2d_grounding.ipynb`); Kimi-VL uses the same keys with shares (MoonshotAI/Kimi-VL#56). */
function frameOf(shapes: readonly Shape[], hint: string): Frame {
  const byValues = frameByValues(shapes);
  return byValues === "0-1000" && /qwen[\s._-]?2[._-]?5/.test(hint) ? "pixels" : byValues;
}

export const json: Convention = {
  name: "JSON",
  frame: frameOf,
  read: (text, hint) => flatObjects(text).flatMap((fields) => shapesOf(fields, hint)),
};

/** Kimi-VL and other agents: `pyautogui.click(x=0.879, y=0.294)` (moonshotai/Kimi-VL-A3B-Instruct, model card). */
export const clicks: Convention = {
  name: "Kimi-VL",
  frame: frameByValues,
  read: (text) =>
    [...text.matchAll(/pyautogui\.(\w+)\(\s*x\s*=\s*([\d.]+)\s*,\s*y\s*=\s*([\d.]+)/g)].map((match) =>
      point(Number(match[2]), Number(match[3]), match[1] ?? ""),
    ),
};

const NUMBER = String.raw`\s*(\d+(?:\.\d+)?)\s*`;
const SHARE = String.raw`\s*([01]?\.\d+|0|1)\s*`;
const four = (one: string): string => [one, one, one, one].join(",");
const BARE = [
  String.raw`\(${NUMBER},${NUMBER}\)\s*,?\s*\(${NUMBER},${NUMBER}\)`,
  String.raw`\[\[${four(NUMBER)}\]`,
  String.raw`\[${four(SHARE)}\]`,
  String.raw`^\s*\[${four(NUMBER)}\]\s*$`,
].map((pattern) => new RegExp(pattern, "g"));

/** Coordinates without tags or keys: tags that the engine left out (`the cat(120,30),(480,900)`), CogVLM's and others'
 * `[[120,030,480,900]]`, LLaVA's `[0.12, 0.03, 0.48, 0.9]`, or an answer that is one list. Lists of whole numbers inside
 * other text could be anything and are left alone. */
export const bare: Convention = {
  name: "—",
  frame: frameByValues,
  read: (text) => {
    for (const pattern of BARE) {
      const found = withLabels(text, pattern).flatMap(({ match, label }) => {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = match.slice(1).map(Number);
        return x2 > x1 && y2 > y1 ? [box(x1, y1, x2, y2, label)] : [];
      });
      if (found.length) return found;
    }
    return [];
  },
};
