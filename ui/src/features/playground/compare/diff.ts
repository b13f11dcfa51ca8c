/** A piece of a text; `same`: the other text has it too, in the same order. */
export interface Piece {
  text: string;
  same: boolean;
}

/** Beyond so many comparisons two texts are not compared word by word: the page would stand still. */
const MOST_CELLS = 4_000_000;

/** Words with the space behind them; Chinese and Japanese character by character, as they have no spaces. */
const wordsOf = (text: string): string[] =>
  text.match(/[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+\s*|\s+/g) ?? [];

/** For each pair of places, how many words the rests of both texts share in order. */
function sharedCounts(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, below] = [rows[i], rows[i + 1]];
    if (!row || !below) continue;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i]?.trim() === b[j]?.trim() ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return rows;
}

function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last?.same === piece.same) found[found.length - 1] = { ...last, text: last.text + piece.text };
    else found.push(piece);
  }
  return found;
}

/** `text` with what it does not share with `base` marked; null where they are too long to be compared. */
export function marked(text: string, base: string): Piece[] | null {
  const [a, b] = [wordsOf(text), wordsOf(base)];
  if (a.length * b.length > MOST_CELLS) return null;
  const counts = sharedCounts(a, b);
  const pieces: Piece[] = [];
  let j = 0;
  a.forEach((word, i) => {
    const next = counts[i + 1];
    while (j < b.length && b[j]?.trim() !== word.trim() && (counts[i]?.[j + 1] ?? 0) > (next?.[j] ?? 0)) j += 1;
    const same = j < b.length && b[j]?.trim() === word.trim();
    if (same) j += 1;
    pieces.push({ text: word, same });
  });
  return joined(pieces);
}
