import { describe, expect, it } from "vitest";
import { isPadded, isPdf, needsDrawing, pictureFiles, planPicture, remotePicture, USUAL_SIDE } from "./pictures";

const plan = (width: number, height: number, square = false) => planPicture(width, height, square, USUAL_SIDE);

describe("planPicture", () => {
  it("leaves a picture within the bound as it is", () => {
    const planned = plan(640, 480);
    expect(planned).toEqual({ width: 640, height: 480, inner: { x: 0, y: 0, width: 640, height: 480 } });
    expect(isPadded(planned)).toBe(false);
    expect(needsDrawing("image/png", 640, 480, planned)).toBe(false);
  });

  it("scales the longer side down and keeps the shape", () => {
    expect(plan(8192, 2)).toMatchObject({ width: USUAL_SIDE, height: 1 });
    expect(plan(3000, 4000)).toMatchObject({ width: 1536, height: 2048 });
    expect(planPicture(3000, 4000, false, 400)).toMatchObject({ width: 300, height: 400 });
  });

  it("pads to a square on request", () => {
    const planned = plan(100, 50, true);
    expect(planned).toEqual({ width: 100, height: 100, inner: { x: 0, y: 25, width: 100, height: 50 } });
    expect(isPadded(planned)).toBe(true);
    expect(needsDrawing("image/png", 100, 50, planned)).toBe(true);
  });

  it("draws what engines cannot read", () => {
    expect(needsDrawing("image/webp", 10, 10, plan(10, 10))).toBe(true);
  });
});

const file = (name: string, type: string): File => new File(["x"], name, { type });

describe("pictureFiles", () => {
  it("takes pictures, but no SVG and no PDF", () => {
    const pdf = file("d.pdf", "application/pdf");
    const files = [file("a.png", "image/png"), file("b.svg", "image/svg+xml"), file("c.txt", "text/plain"), pdf];
    expect(pictureFiles(files).map((entry) => entry.name)).toEqual(["a.png"]);
    expect(files.filter(isPdf)).toEqual([pdf]);
  });
});

describe("remotePicture", () => {
  it("takes addresses of the web alone", () => {
    expect(remotePicture(" https://example.com/a/cat.png?x=1 ")).toMatchObject({
      name: "cat.png",
      src: "https://example.com/a/cat.png?x=1",
    });
    expect(remotePicture("http://example.com")).toMatchObject({ name: "example.com" });
    for (const text of ["", "cat.png", "file:///etc/passwd", "javascript:alert(1)", "data:image/png;base64,AAAA"])
      expect(remotePicture(text)).toBeNull();
  });
});
