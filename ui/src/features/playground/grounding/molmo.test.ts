import { describe, expect, it } from "vitest";
import { readGrounding } from "./read";

describe("Molmo's points", () => {
  it("are per cent, one or many", () => {
    expect(readGrounding(' <point x="63.5" y="44.2" alt="the cup">the cup</point>')).toEqual({
      convention: "Molmo",
      frame: "0-100",
      shapes: [{ kind: "point", label: "the cup", points: [[63.5, 44.2]] }],
    });
    const many = readGrounding('<points x1="10" y1="20" x2="30.5" y2="40" alt="cats">cats</points>');
    expect(many?.shapes.map((shape) => shape.points[0])).toEqual([[10, 20], [30.5, 40]]); // prettier-ignore
  });

  it("are thousandths in Molmo 2", () => {
    expect(readGrounding('<points coords="1 1 123 0456 2 789 012">cats</points>')).toEqual({
      convention: "Molmo 2",
      frame: "0-1000",
      shapes: [
        { kind: "point", label: "cats", points: [[123, 456]] },
        { kind: "point", label: "cats", points: [[789, 12]] },
      ],
    });
  });
});
