interface RawRanking {
  results?: { index?: unknown; relevance_score?: unknown }[];
}

/** A text's place in the list that was sent, and how well it answers. */
export interface Ranked {
  index: number;
  score: number;
}

/** The answer of `/v1/rerank`, best first; null where it is none. */
export function readRanking(body: unknown): Ranked[] | null {
  const { results } = body as RawRanking;
  if (!Array.isArray(results)) return null;
  const ranked = results.flatMap(({ index, relevance_score: score }) =>
    typeof index === "number" && typeof score === "number" ? [{ index, score }] : [],
  );
  return ranked.length === results.length ? ranked.sort((a, b) => b.score - a.score) : null;
}

/** Shares of the best score for bars, 0 to 1, whatever scale the model has. */
export function shares(ranked: readonly Ranked[]): number[] {
  const scores = ranked.map(({ score }) => score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const floor = least >= 0 ? 0 : least;
  return scores.map((score) => (most === floor ? 1 : (score - floor) / (most - floor)));
}
