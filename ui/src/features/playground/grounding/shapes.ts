/** In which scale an answer names places. All count from the upper left corner, x to the right, y down. */
export const FRAMES = ["pixels", "0-1", "0-100", "0-999", "0-1000", "0-1023"] as const;
export type Frame = (typeof FRAMES)[number];

export type Point = readonly [x: number, y: number];

/** A place in an answer, in the answer's own scale: a point, a box by two corners, or the corners of a polygon. */
export interface Shape {
  kind: "point" | "box" | "polygon";
  label: string;
  points: readonly Point[];
}

/** What an answer says of places. `convention`: whose way of writing it is. */
export interface Grounding {
  convention: string;
  frame: Frame;
  shapes: Shape[];
}

/** A way of writing. `hint`: what the model calls itself (architecture, source), in lower case. */
export interface Convention {
  name: string;
  frame: Frame | ((shapes: readonly Shape[], hint: string) => Frame);
  read: (text: string, hint: string) => Shape[];
}

export const point = (x: number, y: number, label: string): Shape => ({ kind: "point", label, points: [[x, y]] });

/** A box by two opposite corners, in any order. */
export function box(x1: number, y1: number, x2: number, y2: number, label: string): Shape {
  const [left, top] = [Math.min(x1, x2), Math.min(y1, y2)];
  const [right, bottom] = [Math.max(x1, x2), Math.max(y1, y2)];
  const corners: Point[] = [
    [left, top],
    [right, bottom],
  ];
  return { kind: "box", label, points: corners };
}

/** Every number in a piece of text. */
export const numbersIn = (text: string): number[] => (text.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);

/** Numbers in fours as boxes; what is left over is no box. */
export function boxesOf(numbers: readonly number[], label: string): Shape[] {
  const found: Shape[] = [];
  for (let at = 0; at + 3 < numbers.length; at += 4) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbers.slice(at, at + 4);
    found.push(box(x1, y1, x2, y2, label));
  }
  return found;
}

/** Pairs of numbers as points. */
export function pairs(numbers: readonly number[]): Point[] {
  const found: Point[] = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) found.push([numbers[at] ?? 0, numbers[at + 1] ?? 0]);
  return found;
}

/** Longer labels are sentences. */
const LONGEST_LABEL = 80;

/** The words before a place, as its label: without marks of lists and the like. */
export function labelBefore(text: string): string {
  const line =
    text
      .slice(-2 * LONGEST_LABEL)
      .split("\n")
      .at(-1) ?? "";
  const words = line.replace(/<[^<>]*>/g, "").replace(/^[\s,;:.\-*#\d)\]]+|[\s:：,，(-]+$/g, "");
  return words.slice(-LONGEST_LABEL).trim();
}

/** Each match with the words between it and the match before. Looking for the words in the pattern itself would take
 * time that grows with the square of the text's length. */
export function withLabels(text: string, pattern: RegExp): { match: RegExpExecArray; label: string }[] {
  let end = 0;
  return [...text.matchAll(pattern)].map((match) => {
    const label = labelBefore(text.slice(end, match.index));
    end = match.index + match[0].length;
    return { match, label };
  });
}

const largest = (shapes: readonly Shape[]): number =>
  Math.max(0, ...shapes.flatMap((shape) => shape.points.flatMap(([x, y]) => [x, y])));

/** The scale that numbers alone suggest: shares, thousandths, or pixels where neither can be. */
export function frameByValues(shapes: readonly Shape[]): Frame {
  const most = largest(shapes);
  return most <= 1 ? "0-1" : most <= 1000 ? "0-1000" : "pixels";
}
