import type { KeyPatch, KeyRequest, KeyView, LimitsViewOutput, Scope } from "@/api/generated/types.gen";

export const SCOPES: readonly Scope[] = ["inference", "management", "metrics"];
export const LIMITS = [
  "requests_per_minute",
  "tokens_per_minute",
  "images_per_minute",
  "concurrent",
  "tokens_per_month",
] as const satisfies readonly (keyof LimitsViewOutput)[];
export type Limit = (typeof LIMITS)[number];
const DAY_SECONDS = 86_400;

/** What the form holds; "" and an empty list: no restriction. `days`: "keep" leaves the expiry as it is. */
export interface KeyValues {
  name: string;
  scopes: Scope[];
  models: string[];
  networks: string[];
  days: string;
  limits: Partial<Record<Limit, number>>;
}

export const NEW_KEY: KeyValues = { name: "", scopes: ["inference"], models: [], networks: [], days: "", limits: {} };

export function valuesOf(key: KeyView): KeyValues {
  const limits: KeyValues["limits"] = {};
  for (const limit of LIMITS) {
    const value = key.limits[limit];
    if (value !== null) limits[limit] = value;
  }
  return {
    name: key.name,
    scopes: key.scopes,
    models: key.models ?? [],
    networks: key.networks ?? [],
    days: "keep",
    limits,
  };
}

export function requestOf(values: KeyValues): KeyRequest {
  return {
    name: values.name.trim(),
    scopes: SCOPES.filter((scope) => values.scopes.includes(scope)),
    models: values.models.length > 0 ? values.models : null,
    networks: values.networks.length > 0 ? values.networks : null,
    expires_in: values.days ? Number(values.days) * DAY_SECONDS : null,
    limits: values.limits,
  };
}

export function patchOf(values: KeyValues): KeyPatch {
  const { expires_in, ...patch } = requestOf({ ...values, days: values.days === "keep" ? "" : values.days });
  return values.days === "keep" ? patch : { ...patch, expires_in: expires_in ?? null };
}
