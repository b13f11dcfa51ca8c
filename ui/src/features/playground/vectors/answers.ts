interface RawEmbeddings {
  data?: { index?: number; embedding?: unknown }[];
}

const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number");

/** The vectors of an answer of `/v1/embeddings`, in the order of the texts; null where it is none. */
export function readVectors(body: unknown): number[][] | null {
  const { data } = body as RawEmbeddings;
  if (!Array.isArray(data)) return null;
  const ordered = [...data].sort((a, b) => (a.index ?? 0) - (b.index ?? 0)).map((item) => item.embedding);
  return ordered.length > 0 && ordered.every(isVector) ? ordered : null;
}

/** The texts that a person typed, one a line. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
