import type {
  DeploymentPatch,
  DeploymentSpecInput,
  DeploymentSpecOutput,
  PlacementWishesOutput,
  ScalingWishesOutput,
} from "@/api/generated/types.gen";
import type { FormSource } from "./search";

export const DEMO_SOURCE = "demo://tiny-vlm";

/** What the form holds while it is filled in. */
export interface FormState {
  kind: FormSource;
  name: string;
  /** Whether the person wrote the name; until then it follows the source. */
  named: boolean;
  /** A path for a local model, the whole source for one of a hub. */
  path: string;
  /** The projector that was chosen; null: the one that is found; `none`: no pictures. */
  projector: string | null;
  engine: "auto" | "llama.cpp" | "vllm";
  replicas: number;
  parameters: string[];
  placement: PlacementWishesOutput;
  scaling: ScalingWishesOutput;
}

const ANYWHERE: PlacementWishesOutput = { nodes: [], devices: [], strategy: "spread", cpu: "auto", labels: {} };

const ALWAYS: ScalingWishesOutput = { minimum: null, queue: null, idle_seconds: 600, hold_seconds: 60 };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const validName = (name: string): boolean => NAME.test(name);

/** A name for the model at `path` (or repository): its last part without the ending, in allowed characters. */
export function suggestName(path: string): string {
  const last = path.replace(/\/+$/, "").split("/").pop() ?? "";
  return last
    .replace(/[.-]gguf$/i, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 63);
}

/** A name like `wish` that is not taken: `tiny-vlm`, `tiny-vlm-2`, … */
export function freeName(wish: string, taken: readonly string[]): string {
  if (!taken.includes(wish)) return wish;
  for (let number = 2; ; number += 1) {
    const candidate = `${wish.slice(0, 58)}-${number}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

export function emptyForm(kind: FormSource, taken: readonly string[]): FormState {
  const name = kind === "demo" ? freeName("tiny-vlm", taken) : "";
  return {
    kind,
    name,
    named: false,
    path: "",
    projector: null,
    engine: "auto",
    replicas: 1,
    parameters: [],
    placement: ANYWHERE,
    scaling: ALWAYS,
  };
}

export function kindOf(source: string): FormSource {
  const [scheme] = source.split("://", 1);
  return scheme === "demo" || scheme === "hf" || scheme === "ms" ? scheme : "local";
}

/** The form for a source that is known already, with a free name after the repository or the file. */
export function formFor(source: string, taken: readonly string[]): FormState {
  const path = sourceText(source);
  const bare = path.replace(/^(hf|ms):\/\/([^@:]+).*$/, "$2");
  return { ...emptyForm(kindOf(source), taken), path, name: freeName(suggestName(bare), taken) };
}

export function formOf(spec: DeploymentSpecOutput): FormState {
  const kind = kindOf(spec.source);
  return {
    kind,
    name: spec.name,
    named: true,
    path: kind === "demo" ? "" : sourceText(spec.source),
    projector: spec.projector,
    engine: spec.engine,
    replicas: spec.replicas,
    parameters: [...spec.parameters],
    placement: spec.placement,
    scaling: spec.scaling,
  };
}

/** The form for another deployment like this one, with a free name. */
export function copyOf(spec: DeploymentSpecOutput, taken: readonly string[]): FormState {
  return { ...formOf(spec), name: freeName(spec.name, taken) };
}

/** The form as a spec, or null while something needed is missing. `kept` is the spec that is edited. */
export function specOf(form: FormState, kept?: DeploymentSpecOutput): DeploymentSpecInput | null {
  const source = form.kind === "demo" ? (kept?.source ?? DEMO_SOURCE) : form.path.trim();
  if (!source || !validName(form.name)) return null;
  return {
    ...kept,
    name: form.name,
    source,
    projector: form.projector,
    engine: form.engine,
    replicas: form.replicas,
    parameters: form.parameters.map((text) => text.trim()).filter((text) => text !== ""),
    placement: form.placement,
    scaling: form.scaling,
  };
}

const PATCHED = ["projector", "engine", "replicas", "parameters", "placement", "scaling"] as const;

/** The form with the fields of a spec that a change sets. */
export function withPatch(form: FormState, patch: Record<string, unknown>): FormState {
  const known = Object.fromEntries(PATCHED.filter((field) => field in patch).map((field) => [field, patch[field]]));
  const next: FormState = { ...form, ...known };
  if (typeof patch.source !== "string") return next;
  // A projector that was chosen by its path belongs to the source before.
  const projector = next.projector === "none" ? "none" : null;
  return { ...next, projector, kind: kindOf(patch.source), path: sourceText(patch.source) };
}

/** Whether replicas started for one spec serve another as they are: only their number may differ. */
export function sameProgram(old: DeploymentSpecOutput, spec: DeploymentSpecInput): boolean {
  const bare = ({ replicas: _replicas, scaling: _scaling, ...rest }: DeploymentSpecInput): string =>
    JSON.stringify(Object.entries(rest).sort(([a], [b]) => a.localeCompare(b)));
  return bare({ ...old, source: sourceText(old.source) }) === bare({ ...spec, source: sourceText(spec.source) });
}

export function patchOf(spec: DeploymentSpecInput): DeploymentPatch {
  const { name, ...rest } = spec;
  return rest;
}

/** A source as people write it: a path for a local one. */
export const sourceText = (source: string): string => source.replace(/^file:\/\//, "");
