import type { Frame, Grounding, Point, Shape } from "./shapes";

export interface Size {
  width: number;
  height: number;
}

/** How a picture was sent. `original`: its own pixels; `sent`: those of the file that was sent, in which it lies at
 * `inner` (smaller than `sent` only where it was padded); `seen`: those that the model sees it at, where that is known. */
export interface Sent {
  original: Size;
  sent: Size;
  inner: { x: number; y: number } & Size;
  seen: Size | null;
}

/** The number that stands for the right or lower edge. */
function edges(frame: Frame, sent: Sent): Point {
  const { width, height } = sent.seen ?? sent.sent;
  const edge = { pixels: null, "0-1": 1, "0-100": 100, "0-999": 999, "0-1000": 1000, "0-1023": 1024 }[frame];
  return edge === null ? [width, height] : [edge, edge];
}

const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));

/** A shape in pixels of the original picture. */
export function placed(shape: Shape, frame: Frame, picture: Sent): Shape {
  const [right, bottom] = edges(frame, picture);
  const { original, sent, inner } = picture;
  const points = shape.points.map(([x, y]): Point => {
    const across = ((x / right) * sent.width - inner.x) / inner.width;
    const down = ((y / bottom) * sent.height - inner.y) / inner.height;
    return [within(across, 1) * original.width, within(down, 1) * original.height];
  });
  return { ...shape, points };
}

export const placedAll = (found: Grounding, frame: Frame, picture: Sent): Shape[] =>
  found.shapes.map((shape) => placed(shape, frame, picture));

const rounded = (shape: Shape): number[] => shape.points.flatMap(([x, y]) => [Math.round(x), Math.round(y)]);

/** The coordinates of a shape as text: `x1, y1, x2, y2` in whole pixels. */
export const coordinates = (shape: Shape): string => rounded(shape).join(", ");

/** Shapes as JSON in original pixels. */
export function asJson(shapes: readonly Shape[], size: Size): string {
  const objects = shapes.map((shape) => ({ label: shape.label, [shape.kind]: rounded(shape) }));
  return JSON.stringify({ width: size.width, height: size.height, objects }, null, 2);
}
