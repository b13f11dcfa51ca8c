import type { Head } from "./format";

/** Conversations that are kept, and characters of them all together: pictures are most of it. */
export const MOST_KEPT = 200;
export const MOST_BYTES = 200 * 1024 ** 2;

/** Which conversations go so that the rest stays within the bounds: the oldest. The newest stays whatever it takes. */
export function surplus(heads: readonly Head[], count = MOST_KEPT, bytes = MOST_BYTES): Head[] {
  const newest = [...heads].sort((a, b) => b.at - a.at);
  let sum = 0;
  const first = newest.findIndex((head, index) => {
    sum += head.bytes;
    return index > 0 && (index >= count || sum > bytes);
  });
  return first < 0 ? [] : newest.slice(first);
}
