interface Downloading {
  download: { done: number; total: number } | null;
}

/** The share of a download that is there, 0 to 1; null while nothing is downloaded. */
export function downloadShare({ download }: Downloading): number | null {
  return download && download.total > 0 ? download.done / download.total : null;
}
