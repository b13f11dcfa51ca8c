import { describe, expect, it } from "vitest";
import { isSendable, PRESET_NAMES, presetOf, PRESETS, SAMPLING, schemaOf, toolsOf } from "./sampling";

describe("presets", () => {
  it("are known again", () => {
    for (const name of PRESET_NAMES) expect(presetOf({ ...SAMPLING, ...PRESETS[name] })).toBe(name);
    expect(presetOf({ ...SAMPLING, temperature: 0.33 })).toBeNull();
    expect(presetOf(SAMPLING)).toBe("balanced");
  });
});

describe("JSON that was typed", () => {
  it("is a schema only as an object", () => {
    expect(schemaOf(SAMPLING)).toBeNull();
    expect(schemaOf({ ...SAMPLING, schema: '{"type":"object"}' })).toEqual({ type: "object" });
    for (const schema of ["{", "[]", "3", '"x"', "null"]) expect(schemaOf({ ...SAMPLING, schema })).toBeUndefined();
  });

  it("is tools as OpenAI has them, or functions alone", () => {
    const weather = { type: "function", function: { name: "weather", parameters: {} } };
    expect(toolsOf({ ...SAMPLING, tools: JSON.stringify([weather]) })).toEqual([weather]);
    expect(toolsOf({ ...SAMPLING, tools: '{"name":"weather","parameters":{}}' })).toEqual([weather]);
    for (const tools of ["[]", "[3]", '{"name":""}', '[{"name":"a"},{}]', "{"])
      expect(toolsOf({ ...SAMPLING, tools })).toBeUndefined();
  });

  it("is not sent while it is wrong", () => {
    expect(isSendable(SAMPLING)).toBe(true);
    expect(isSendable({ ...SAMPLING, tools: "{" })).toBe(false);
  });
});
