/** Ways of writing with a token of its own for each coordinate. */
import type { Convention, Shape } from "./shapes";
import { box, boxesOf, numbersIn, pairs, withLabels } from "./shapes";

/** PaliGemma: `<loc0123><loc0234><loc0789><loc1001> cat ; …`: y1, x1, y2, x2 of 1024 steps, the label behind; masks
 * follow as `<seg000>` tokens (google-research/big_vision, `paligemma/README.md`, "detect"). */
export const paligemma: Convention = {
  name: "PaliGemma",
  frame: "0-1023",
  read: (text) =>
    [...text.matchAll(/<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>(?:\s*<seg\d{3}>)*\s*([^<;\n]*)/g)].map(
      ([, y1, x1, y2, x2, label]) => box(Number(x1), Number(y1), Number(x2), Number(y2), (label ?? "").trim()),
    ),
};

function florenceShapes(label: string, tokens: string): Shape[] {
  const numbers = numbersIn(tokens);
  const corners = numbers.length === 8 || (numbers.length % 4 !== 0 && numbers.length >= 6);
  return corners ? [{ kind: "polygon", label, points: pairs(numbers) }] : boxesOf(numbers, label);
}

/** Florence-2: `cat<loc_52><loc_332><loc_932><loc_774>`: the label in front, x1, y1, x2, y2 of 1000 steps; eight tokens
 * are the corners of a line of text, more a polygon (`transformers/models/florence2/processing_florence2.py`). */
export const florence: Convention = {
  name: "Florence-2",
  frame: "0-999",
  read: (text) =>
    withLabels(text, /(?:<loc_\d{1,3}>)+/g).flatMap(({ match, label }) => florenceShapes(label, match[0])),
};
