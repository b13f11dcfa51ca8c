import { currentLanguage } from "@/i18n";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in the largest binary unit that keeps the number at or above one: `1.5 GiB`. */
export function formatBytes(count: number): string {
  let size = count;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[unit] ?? "B"}`;
}

/** Seconds as people read them: `320 ms`, `1.4 s`, `2 min 5 s`, `3 h 4 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(0, seconds * 1000).toFixed(0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Unix seconds as local date and time in the language of the page. */
export function formatTime(unixSeconds: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(unixSeconds * 1000);
}

/** A number as the language of the page writes it, with at most `digits` behind the point. */
export function formatNumber(value: number, digits: number): string {
  return new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: digits }).format(value);
}

/** A share from 0 to 1: `12.5%`. */
export function formatPercent(share: number): string {
  return new Intl.NumberFormat(currentLanguage(), { style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** How many parameters a model has, as its makers write it: `2.2B`, `500M`. */
export function formatParameters(count: number): string {
  const billions = count / 1e9;
  if (billions >= 0.95) return `${billions.toFixed(billions < 99.5 ? 1 : 0).replace(/\.0$/, "")}B`;
  return `${Math.max(1, Math.round(count / 1e6))}M`;
}
