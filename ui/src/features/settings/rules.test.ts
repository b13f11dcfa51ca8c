import { describe, expect, it } from "vitest";
import { HUB_SETTINGS } from "@/mocks/hubData";
import { changesOf, connectionOf, MIRROR, validAddress, validConnection } from "./rules";

const MIB = 1024 ** 2;

describe("the connection form", () => {
  const form = connectionOf(HUB_SETTINGS);

  it("sends nothing when nothing was changed", () => {
    expect(changesOf(form, HUB_SETTINGS)).toEqual({});
    const limited = { ...HUB_SETTINGS, rate_limit: 1_234_567, proxy: "http://user:***@proxy:3128" };
    expect(changesOf(connectionOf(limited), limited)).toEqual({});
  });

  it("sends what was changed, and null for what was emptied", () => {
    const limited = { ...HUB_SETTINGS, rate_limit: 10 * MIB, proxy: "http://proxy:3128" };
    const old = connectionOf(limited);
    expect(old.bandwidth).toBe("10");
    expect(changesOf({ ...old, proxy: " ", bandwidth: "" }, limited)).toEqual({ proxy: null, rate_limit: null });
    expect(changesOf({ ...form, huggingface_endpoint: ` ${MIRROR} `, bandwidth: "1.5" }, HUB_SETTINGS)).toEqual({
      huggingface_endpoint: MIRROR,
      rate_limit: 1.5 * MIB,
    });
    expect(changesOf({ ...form, offline: true }, HUB_SETTINGS)).toEqual({ offline: true });
  });

  it("takes addresses only", () => {
    expect([MIRROR, "http://10.0.0.1:8080/hub", "ftp://x", "hf-mirror.com", "http://"].map(validAddress)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(validConnection({ ...form, proxy: "" })).toBe(true);
    expect(validConnection({ ...form, proxy: "proxy:3128" })).toBe(false);
  });
});
