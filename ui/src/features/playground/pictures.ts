import type { Picture } from "./chat";

/** Longer sides are scaled down to this; no model here looks closer, and the upload stays small. */
export const MAX_SIDE = 2048;
/** The gateway refuses more pictures in one request. */
export const MAX_PICTURES = 8;

export interface PicturePlan {
  /** Size of the picture itself after scaling. */
  width: number;
  height: number;
  /** Size of the canvas around it: larger than the picture only where it is padded to a square. */
  canvasWidth: number;
  canvasHeight: number;
}

/** The size at which a picture is sent. Only the demo model asks for squares. */
export function planPicture(width: number, height: number, square: boolean): PicturePlan {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const w = Math.max(1, Math.round(width * scale));
  const h = Math.max(1, Math.round(height * scale));
  const side = Math.max(w, h);
  return { width: w, height: h, canvasWidth: square ? side : w, canvasHeight: square ? side : h };
}

/** Whether the bytes can go out as they are. Everything but PNG is drawn anew: engines read neither WebP nor EXIF. */
export function needsDrawing(type: string, width: number, height: number, plan: PicturePlan): boolean {
  return type !== "image/png" || plan.canvasWidth !== width || plan.canvasHeight !== height;
}

export class PictureError extends Error {}

function readDataUri(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(reader.result as string);
    };
    reader.onerror = () => {
      reject(new PictureError("unreadable"));
    };
    reader.readAsDataURL(blob);
  });
}

function draw(bitmap: ImageBitmap, plan: PicturePlan, type: string): string {
  const canvas = document.createElement("canvas");
  canvas.width = plan.canvasWidth;
  canvas.height = plan.canvasHeight;
  const context = canvas.getContext("2d");
  if (!context) throw new PictureError("unreadable");
  context.imageSmoothingQuality = "high";
  if (type === "image/jpeg" || plan.canvasWidth !== plan.width || plan.canvasHeight !== plan.height) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, plan.canvasWidth, plan.canvasHeight);
  }
  const left = Math.floor((plan.canvasWidth - plan.width) / 2);
  const top = Math.floor((plan.canvasHeight - plan.height) / 2);
  context.drawImage(bitmap, left, top, plan.width, plan.height);
  return type === "image/jpeg" ? canvas.toDataURL("image/jpeg", 0.95) : canvas.toDataURL("image/png");
}

/** A file as a picture that any engine reads. Throws PictureError where the browser cannot decode it. */
export async function loadPicture(file: File, square: boolean): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureError("unreadable");
  });
  try {
    const { width, height } = bitmap;
    const plan = planPicture(width, height, square);
    const redraw = needsDrawing(file.type, width, height, plan);
    const scaled = plan.width !== width || plan.height !== height;
    return {
      id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
      name: file.name,
      dataUri: redraw ? draw(bitmap, plan, file.type) : await readDataUri(file),
      width: plan.canvasWidth,
      height: plan.canvasHeight,
      original: scaled ? { width, height } : null,
      padded: plan.canvasWidth !== plan.width || plan.canvasHeight !== plan.height,
    };
  } finally {
    bitmap.close();
  }
}

/** The picture files among what was dropped, pasted or chosen. */
export function pictureFiles(files: Iterable<File>): File[] {
  return [...files].filter((file) => file.type.startsWith("image/") && file.type !== "image/svg+xml");
}
