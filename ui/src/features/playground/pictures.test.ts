import { describe, expect, it } from "vitest";
import { MAX_SIDE, needsDrawing, pictureFiles, planPicture } from "./pictures";

describe("planPicture", () => {
  it("leaves a picture within the bound as it is", () => {
    const plan = planPicture(640, 480, false);
    expect(plan).toEqual({ width: 640, height: 480, canvasWidth: 640, canvasHeight: 480 });
    expect(needsDrawing("image/png", 640, 480, plan)).toBe(false);
  });

  it("scales the longer side down and keeps the shape", () => {
    expect(planPicture(8192, 2, false)).toMatchObject({ width: MAX_SIDE, height: 1 });
    expect(planPicture(3000, 4000, false)).toMatchObject({ width: 1536, height: 2048 });
  });

  it("pads to a square on request", () => {
    const plan = planPicture(100, 50, true);
    expect(plan).toEqual({ width: 100, height: 50, canvasWidth: 100, canvasHeight: 100 });
    expect(needsDrawing("image/png", 100, 50, plan)).toBe(true);
  });

  it("draws what engines cannot read", () => {
    expect(needsDrawing("image/webp", 10, 10, planPicture(10, 10, false))).toBe(true);
  });
});

describe("pictureFiles", () => {
  it("takes pictures, but no SVG", () => {
    const file = (name: string, type: string): File => new File(["x"], name, { type });
    const names = pictureFiles([
      file("a.png", "image/png"),
      file("b.svg", "image/svg+xml"),
      file("c.txt", "text/plain"),
    ]);
    expect(names.map((entry) => entry.name)).toEqual(["a.png"]);
  });
});
