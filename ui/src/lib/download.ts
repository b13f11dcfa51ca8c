import { formatBytes, formatSeconds } from "./format";

interface Progress {
  done: number;
  total: number;
}

interface Downloading<P extends Progress = Progress> {
  phase: string;
  download: P | null;
}

/** The share of `progress` that is there, 0 to 1. */
export function shareOf({ done, total }: Progress): number {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
}

/** The download of the replica that is furthest among those that still download: the one that answers first. */
export function movingDownload<P extends Progress>(replicas: readonly Downloading<P>[]): P | null {
  const moving = replicas.flatMap(({ phase, download }) => (phase === "downloading" && download ? [download] : []));
  return moving.reduce<P | null>((best, next) => (best && shareOf(best) >= shareOf(next) ? best : next), null);
}

/** Bytes per second: `12.3 MiB/s`. */
export const formatRate = (rate: number): string => `${formatBytes(rate)}/s`;

/** Seconds to wait, without false precision: `12 s`, `2 min 5 s`, `3 h 4 min`. */
export function formatWait(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : formatSeconds(whole);
}
