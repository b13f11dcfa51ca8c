import type { Failure } from "./turns";

export type RemedyKey =
  | "model_not_ready"
  | "model_stopped"
  | "model_not_found"
  | "engine_died"
  | "stream_broken"
  | "too_large"
  | "busy"
  | "offline"
  | "log_in"
  | "upload_instead"
  | "other";

const BY_CODE: Record<string, RemedyKey> = {
  model_not_ready: "model_not_ready",
  model_starting: "model_not_ready",
  model_loading: "model_not_ready",
  model_stopped: "model_stopped",
  model_not_found: "model_not_found",
  engine_died: "engine_died",
  engine_unreachable: "engine_died",
  engine_failed: "engine_died",
  invalid_session: "log_in",
  image_not_fetched: "upload_instead",
  image_url_not_supported: "upload_instead",
  stream_broken: "stream_broken",
  offline: "offline",
};

const BY_STATUS: Record<number, RemedyKey> = {
  404: "model_not_found",
  413: "too_large",
  429: "busy",
  502: "engine_died",
  503: "model_not_ready",
};

/** What a person can do about a failed answer. */
export function remedyFor(failure: Failure): RemedyKey {
  return BY_CODE[failure.code] ?? BY_STATUS[failure.status] ?? "other";
}
