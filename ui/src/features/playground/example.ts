/** A drawing of the kind that the demo model knows, made on the spot: a red circle. */
export async function examplePicture(name: string): Promise<File> {
  const canvas = document.createElement("canvas");
  canvas.width = 224;
  canvas.height = 224;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 224, 224);
  context.fillStyle = "#e02020";
  context.beginPath();
  context.arc(112, 112, 70, 0, 2 * Math.PI);
  context.fill();
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  return new File(blob ? [blob] : [], name, { type: "image/png" });
}
