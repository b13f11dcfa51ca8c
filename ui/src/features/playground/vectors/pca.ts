/** Two dimensions out of many: the two directions in which the vectors differ most. */

type Vector = readonly number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

const scaled = (vector: Vector, factor: number): number[] => vector.map((value) => value * factor);

const minus = (a: Vector, b: Vector): number[] => a.map((value, index) => value - (b[index] ?? 0));

function centred(vectors: readonly Vector[]): number[][] {
  const mean = (vectors[0] ?? []).map(
    (_, at) => vectors.reduce((sum, one) => sum + (one[at] ?? 0), 0) / vectors.length,
  );
  return vectors.map((vector) => minus(vector, mean));
}

const MOST_STEPS = 300;
const STILL = 1e-9;

/** The eigenvector of the largest eigenvalue of a symmetric matrix, by power iteration; null where all are zero. The
 * start is fixed, so that the same vectors give the same picture, and irregular: across to nothing that is regular. */
function strongest(matrix: readonly Vector[]): { vector: number[]; value: number } | null {
  let vector = matrix.map((_, index) => 1 + ((index * 7919) % 31) / 31);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const next = matrix.map((row) => dot(row, vector));
    const length = Math.sqrt(dot(next, next));
    if (length < STILL) return null;
    const unit = scaled(next, 1 / length);
    const moved = minus(unit, vector);
    vector = unit;
    if (dot(moved, moved) < STILL) break;
  }
  return {
    vector,
    value: dot(
      vector,
      matrix.map((row) => dot(row, vector)),
    ),
  };
}

/** A place for each vector: its first two principal components. The eigenvectors of the matrix of all dot products are
 * those components, so the work depends on how many vectors there are, not on how long they are. */
export function project(vectors: readonly Vector[]): { x: number; y: number }[] {
  const rows = centred(vectors);
  let products = rows.map((row) => rows.map((other) => dot(row, other)));
  const axes = [0, 1].map(() => {
    const found = strongest(products);
    if (!found) return rows.map(() => 0);
    const { vector, value } = found;
    products = products.map((row, i) => row.map((entry, j) => entry - value * (vector[i] ?? 0) * (vector[j] ?? 0)));
    return scaled(vector, Math.sqrt(Math.max(0, value)));
  });
  return rows.map((_, index) => ({ x: axes[0]?.[index] ?? 0, y: axes[1]?.[index] ?? 0 }));
}

/** How alike two vectors point: 1 the same way, 0 across, -1 the other way. */
export function similarity(a: Vector, b: Vector): number {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
