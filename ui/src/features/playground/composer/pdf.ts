/** PDF pages as pictures, by PDF.js. This file and what it imports are loaded when somebody chooses a PDF. */
import type { PDFDocumentProxy } from "pdfjs-dist";
import { getDocument, GlobalWorkerOptions } from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?url";

GlobalWorkerOptions.workerSrc = worker;

export type Pdf = PDFDocumentProxy;

export async function openPdf(file: File): Promise<Pdf> {
  // The page's policy lets nothing be evaluated.
  return getDocument({ data: await file.arrayBuffer(), isEvalSupported: false, useWasm: false }).promise;
}

/** Page `number` (from 1) whose longer side has `side` pixels, as PNG. */
export async function renderPage(pdf: Pdf, number: number, side: number): Promise<Blob> {
  const page = await pdf.getPage(number);
  const { width, height } = page.getViewport({ scale: 1 });
  const viewport = page.getViewport({ scale: side / Math.max(width, height) });
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(viewport.width);
  canvas.height = Math.round(viewport.height);
  await page.render({ canvas, viewport }).promise;
  page.cleanup();
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  if (!blob) throw new Error("The page is too large for this browser.");
  return blob;
}
