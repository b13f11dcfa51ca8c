import type { Area, Picture } from "./turns";
import { newId } from "./turns";

/** The longest side that pictures are scaled down to unless a person chooses another. */
export const USUAL_SIDE = 2048;
export const SIDES = [448, 768, 1024, 1536, USUAL_SIDE, 4096] as const;
/** The gateway refuses more pictures in one request. */
export const MAX_PICTURES = 8;

/** The size of the file that is sent, and where in it the picture lies. */
export interface PicturePlan {
  width: number;
  height: number;
  inner: Area;
}

/** How a picture is sent whose longer side may have `side` pixels. Only the demo model asks for squares. */
export function planPicture(width: number, height: number, square: boolean, side: number): PicturePlan {
  const scale = Math.min(1, side / Math.max(width, height));
  const across = Math.max(1, Math.round(width * scale));
  const down = Math.max(1, Math.round(height * scale));
  const longer = Math.max(across, down);
  const canvas = square ? { width: longer, height: longer } : { width: across, height: down };
  const x = Math.floor((canvas.width - across) / 2);
  const y = Math.floor((canvas.height - down) / 2);
  return { ...canvas, inner: { x, y, width: across, height: down } };
}

export const isPadded = ({ width, height, inner }: PicturePlan): boolean =>
  inner.width !== width || inner.height !== height;

/** Whether the bytes can go out as they are. Everything but PNG is drawn anew: engines read neither WebP nor EXIF. */
export function needsDrawing(type: string, width: number, height: number, plan: PicturePlan): boolean {
  return type !== "image/png" || plan.width !== width || plan.height !== height;
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
  canvas.width = plan.width;
  canvas.height = plan.height;
  const context = canvas.getContext("2d");
  if (!context) throw new PictureError("unreadable");
  context.imageSmoothingQuality = "high";
  if (type === "image/jpeg" || isPadded(plan)) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, plan.width, plan.height);
  }
  const { x, y, width, height } = plan.inner;
  context.drawImage(bitmap, x, y, width, height);
  return type === "image/jpeg" ? canvas.toDataURL("image/jpeg", 0.95) : canvas.toDataURL("image/png");
}

/** A file as a picture that any engine reads. Throws PictureError where the browser cannot decode it. */
export async function loadPicture(file: File, square: boolean, side: number): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureError("unreadable");
  });
  try {
    const { width, height } = bitmap;
    const plan = planPicture(width, height, square, side);
    const redraw = needsDrawing(file.type, width, height, plan);
    return {
      id: newId(),
      name: file.name,
      src: redraw ? draw(bitmap, plan, file.type) : await readDataUri(file),
      ...plan,
      original: { width, height },
    };
  } finally {
    bitmap.close();
  }
}

/** A picture that the gateway fetches; null where the text is no address of that kind. */
export function remotePicture(address: string): Picture | null {
  const url = URL.canParse(address.trim()) ? new URL(address.trim()) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) return null;
  const name = url.pathname.split("/").findLast((part) => part !== "") ?? url.hostname;
  const inner = { x: 0, y: 0, width: 0, height: 0 };
  return { id: newId(), name, src: url.href, width: 0, height: 0, inner, original: { width: 0, height: 0 } };
}

export const isPdf = (file: File): boolean => file.type === "application/pdf";

/** The picture files among what was dropped, pasted or chosen. */
export function pictureFiles(files: Iterable<File>): File[] {
  return [...files].filter((file) => file.type.startsWith("image/") && file.type !== "image/svg+xml");
}
