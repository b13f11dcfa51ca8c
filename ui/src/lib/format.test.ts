import { describe, expect, it } from "vitest";
import { formatBytes, formatSeconds, formatTime } from "./format";

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [5.6 * 1024 ** 2, "5.6 MiB"],
    [80 * 1024 ** 3, "80.0 GiB"],
    [3 * 1024 ** 5, "3072.0 TiB"],
  ])("%d → %s", (count, text) => {
    expect(formatBytes(count)).toBe(text);
  });
});

describe("formatSeconds", () => {
  it.each([
    [-1, "0 ms"],
    [0.32, "320 ms"],
    [0.9996, "1.0 s"],
    [1.44, "1.4 s"],
    [59.97, "1 min 0 s"],
    [125, "2 min 5 s"],
    [11040, "3 h 4 min"],
  ])("%d → %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe("formatTime", () => {
  it("follows the language", () => {
    expect(formatTime(1_790_000_000, "zh-CN")).toContain("2026年");
    expect(formatTime(1_790_000_000, "en")).toContain("2026");
  });
});
