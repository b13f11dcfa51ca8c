import { expect, it } from "vitest";
import { makeDeployment } from "@/mocks/data";
import { answers } from "./models";

it("answers when it is ready, or when a request may wait for it", () => {
  const steady = makeDeployment({ phase: "starting" });
  const { scaling } = steady.spec;
  const elastic = { ...steady, spec: { ...steady.spec, scaling: { ...scaling, minimum: 0 } } };
  expect(answers(makeDeployment())).toBe(true);
  expect(answers(steady)).toBe(false);
  expect(answers(elastic)).toBe(true);
  expect(answers({ ...elastic, phase: "asleep" })).toBe(true);
  expect(answers({ ...elastic, phase: "failed" })).toBe(false);
  expect(answers({ ...elastic, wanted: "stopped" })).toBe(false);
});
