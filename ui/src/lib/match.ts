/** How well `text` answers what was typed: the words must all be in it, in any order. 0: not at all. */
export function matchScore(text: string, typed: string): number {
  const whole = text.toLowerCase();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  let score = 1;
  for (const word of words) {
    const at = whole.indexOf(word);
    if (at < 0) return 0;
    const beginsWord = at === 0 || /[\s\-_./:：]/.test(whole.charAt(at - 1));
    score += (beginsWord ? 2 : 1) + (at === 0 ? 1 : 0);
  }
  return score;
}

/** The entries that match, the best first, those that match alike in their order. */
export function bestMatches<T extends { text: string }>(entries: readonly T[], typed: string, most: number): T[] {
  return entries
    .map((entry, place) => ({ entry, place, score: matchScore(entry.text, typed) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .slice(0, most)
    .map(({ entry }) => entry);
}
