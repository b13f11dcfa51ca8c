import { formatParameters } from "@/lib/format";
import { describe, expect, it } from "vitest";
import type { ChoiceView, HubFilesView, HubModelView } from "@/api/generated/types.gen";
import { hubFiles, HUB_MODELS } from "@/mocks/hubData";
import {
  choiceId,
  codeWaits,
  formatCount,
  pickChoice,
  projectorWish,
  shownRepository,
  targetOf,
  wantsLicence,
  wantsSettings,
} from "./rules";

const GGUF = "bartowski/Qwen2-VL-2B-Instruct-GGUF";
const files: HubFilesView = hubFiles(GGUF, false);
const named = (quantization: string): ChoiceView => {
  const found = files.choices.find((choice) => choice.quantization === quantization);
  if (!found) throw new Error(quantization);
  return found;
};

describe("numbers", () => {
  it.each([
    [2_208_985_600, "2.2B"],
    [8_000_000_000, "8B"],
    [73_405_560_320, "73.4B"],
    [405_000_000_000, "405B"],
    [494_000_000, "494M"],
    [1000, "1M"],
  ])("%d parameters are %s", (count, text) => {
    expect(formatParameters(count)).toBe(text);
  });

  it("count in the language of the page", () => {
    expect(formatCount(1_204_311, "en")).toBe("1.2M");
    expect(formatCount(1_204_311, "zh-CN")).toBe("120.4万");
  });
});

describe("choiceId", () => {
  it.each([
    ["hf://org/name@895c3a:Q4_K_M", "Q4_K_M"],
    ["hf://org/name@895c3a/folder/model.gguf", "folder/model.gguf"],
    ["ms://org/name@master", ""],
    ["hf://org/name", ""],
    ["hf://org/name:Q8_0", "Q8_0"],
  ])("%s → %s", (source, id) => {
    expect(choiceId({ ...named("Q4_K_M"), source })).toBe(id);
  });
});

describe("targetOf", () => {
  it.each([
    ["hf://org/name", "org/name", ""],
    ["hf://org/name-GGUF:Q4_K_M", "org/name-GGUF", "Q4_K_M"],
    ["ms://org/name@abc123:Q8_0", "org/name", "Q8_0"],
    ["hf://org/name@abc/sub/model.gguf", "org/name", "sub/model.gguf"],
  ])("%s", (source, repository, files) => {
    expect(targetOf(source)).toEqual({ repository, files });
  });

  it("is nothing for what lies on no hub", () => {
    expect(targetOf("file:///models/org/name.gguf")).toBeNull();
  });
});

describe("pickChoice", () => {
  it("takes the wanted one, else the default, else the first that can run", () => {
    expect(pickChoice(files.choices, "Q8_0")).toBe(named("Q8_0"));
    expect(pickChoice(files.choices, undefined)).toBe(named("Q4_K_M"));
    expect(pickChoice(files.choices, "no-such")).toBe(named("Q4_K_M"));
    const plain = files.choices.map((choice) => ({ ...choice, default: false }));
    expect(pickChoice(plain, undefined)?.quantization).toBe("Q3_K_M");
    expect(pickChoice([], undefined)).toBeUndefined();
  });
});

describe("projectorWish", () => {
  const choice = named("Q4_K_M");
  const [matched = "", other = ""] = choice.projectors;

  it("says only what differs from what is found", () => {
    expect(projectorWish(choice, null)).toBeNull();
    expect(projectorWish(choice, matched)).toBeNull();
    expect(projectorWish(choice, other)).toBe(other);
    expect(projectorWish(choice, "none")).toBe("none");
  });

  it("forgets a projector that another choice does not have", () => {
    expect(projectorWish({ ...choice, projectors: [matched] }, other)).toBeNull();
  });
});

describe("shownRepository", () => {
  const found: HubModelView[] = HUB_MODELS;

  it("is the chosen one, else the one whose whole name was typed", () => {
    expect(shownRepository("a/b", GGUF, found)).toBe("a/b");
    expect(shownRepository(undefined, ` ${GGUF.toLowerCase()} `, found)).toBe(GGUF);
    expect(shownRepository(undefined, "Qwen2-VL-2B", found)).toBeUndefined();
    expect(shownRepository(undefined, "", found)).toBeUndefined();
  });
});

it("code waits until it is allowed", () => {
  expect(codeWaits(files)).toBe(false);
  expect(codeWaits(hubFiles("microsoft/Phi-3.5-vision-instruct", false))).toBe(true);
  expect(codeWaits(hubFiles("microsoft/Phi-3.5-vision-instruct", true))).toBe(false);
});

it("leads to where it is mended", () => {
  expect([wantsLicence("repository_gated"), wantsLicence("hub_offline")]).toEqual([true, false]);
  expect([wantsSettings("token_invalid"), wantsSettings("gguf_corrupt")]).toEqual([true, false]);
});
