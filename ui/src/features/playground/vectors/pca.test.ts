import { describe, expect, it } from "vitest";
import { readRanking, shares } from "../rerank/ranking";
import { linesOf, readVectors } from "./answers";
import { project, similarity } from "./pca";

describe("project", () => {
  it("finds the direction of the greatest difference first", () => {
    const vectors = [-2, -1, 0, 1, 2].map((step) => [3 * step, 4 * step, step % 2 ? 0.5 : -0.5, 7]);
    const places = project(vectors);
    const steps = places.map(({ x }) => Math.abs(x));
    expect(steps[0]).toBeCloseTo(10, 1);
    expect(steps[2]).toBeCloseTo(0, 1);
    const across = places.map(({ y }) => Math.abs(y));
    expect(Math.max(...across)).toBeLessThan(1);
  });

  it("keeps the distances of what has two dimensions anyway", () => {
    const corners = [[0, 0, 5], [3, 0, 5], [3, 4, 5], [0, 4, 5]]; // prettier-ignore
    const places = project(corners);
    const distance = (a: number, b: number): number =>
      Math.hypot((places[a]?.x ?? 0) - (places[b]?.x ?? 0), (places[a]?.y ?? 0) - (places[b]?.y ?? 0));
    expect(distance(0, 1)).toBeCloseTo(3, 3);
    expect(distance(1, 2)).toBeCloseTo(4, 3);
    expect(distance(0, 2)).toBeCloseTo(5, 3);
  });

  it("puts all alike into one place", () => {
    expect(project([[1, 2], [1, 2]])).toEqual([{ x: 0, y: 0 }, { x: 0, y: 0 }]); // prettier-ignore
    expect(project([])).toEqual([]);
  });
});

describe("similarity", () => {
  it("is the cosine", () => {
    expect(similarity([1, 0], [2, 0])).toBeCloseTo(1);
    expect(similarity([1, 0], [0, 3])).toBeCloseTo(0);
    expect(similarity([1, 0], [-1, 0])).toBeCloseTo(-1);
    expect(similarity([0, 0], [1, 0])).toBe(0);
  });
});

describe("answers", () => {
  it("come in the order of the texts", () => {
    expect(
      readVectors({
        data: [
          { index: 1, embedding: [2] },
          { index: 0, embedding: [1] },
        ],
      }),
    ).toEqual([[1], [2]]);
    expect(readVectors({ data: [{ index: 0, embedding: "AAAA" }] })).toBeNull();
    expect(readVectors({})).toBeNull();
    expect(linesOf(" a \n\n b")).toEqual(["a", "b"]);
  });

  it("are ranked best first, with bars on any scale", () => {
    const ranked = readRanking({
      results: [
        { index: 0, relevance_score: -4 },
        { index: 1, relevance_score: 2 },
      ],
    });
    expect(ranked).toEqual([{ index: 1, score: 2 }, { index: 0, score: -4 }]); // prettier-ignore
    expect(shares(ranked ?? [])).toEqual([1, 0]);
    expect(
      shares([
        { index: 0, score: 0.8 },
        { index: 1, score: 0.4 },
      ]),
    ).toEqual([1, 0.5]);
    expect(readRanking({ results: [{ index: 0 }] })).toBeNull();
  });
});
