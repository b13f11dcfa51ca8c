import { describe, expect, it } from "vitest";
import { makeDeployment, makeReplica } from "@/mocks/data";
import { changePlan } from "./changePlan";

const two = makeDeployment({ wanted: 2, replicas: [makeReplica(), makeReplica({ id: "r-2" })] });

describe("changePlan", () => {
  it("replaces what runs when the program changes, and tells how long a start took", () => {
    const plan = changePlan(two, { ...two.spec, parameters: ["--ctx-size=4096"] });
    expect(plan).toEqual({ kind: "replace", replicas: 2, seconds: 2 });
  });

  it("only adds or ends replicas when their number changes", () => {
    expect(changePlan(two, { ...two.spec, replicas: 5 })).toMatchObject({ kind: "add", replicas: 3 });
    expect(changePlan(two, { ...two.spec, replicas: 0 })).toMatchObject({ kind: "end", replicas: 2 });
    expect(changePlan(two, two.spec)).toMatchObject({ kind: "nothing" });
  });

  it("does nothing to a model that is stopped", () => {
    const stopped = makeDeployment({ phase: "stopped" });
    expect(changePlan(stopped, { ...stopped.spec, parameters: ["--x=1"] })).toEqual({
      kind: "nothing",
      replicas: 0,
      seconds: null,
    });
  });
});
