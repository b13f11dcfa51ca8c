import type { KeyPatch, KeyRequest, KeyView, Scope } from "@/api/generated/types.gen";
import type { LimitValues } from "@/lib/limits";
import { limitValues } from "@/lib/limits";

export const SCOPES: readonly Scope[] = ["inference", "management", "metrics"];
const DAY_SECONDS = 86_400;

/** What the form holds; "" and an empty list: no restriction. `days`: "keep" leaves the expiry as it is. */
export interface KeyValues {
  name: string;
  scopes: Scope[];
  models: string[];
  networks: string[];
  days: string;
  limits: LimitValues;
}

export const NEW_KEY: KeyValues = { name: "", scopes: ["inference"], models: [], networks: [], days: "", limits: {} };

export function valuesOf(key: KeyView): KeyValues {
  return {
    name: key.name,
    scopes: key.scopes,
    models: key.models ?? [],
    networks: key.networks ?? [],
    days: "keep",
    limits: limitValues(key.limits),
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
