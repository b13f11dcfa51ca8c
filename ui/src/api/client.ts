import { currentLanguage } from "@/i18n";
import { client } from "./generated/client.gen";
import type { Problem, ReasonView } from "./generated/types.gen";

/** A refused or failed request, in words. `remedy` is "" where the server named none. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly remedy: string,
    readonly reasons: readonly ReasonView[] = [],
    readonly requestId = "",
  ) {
    super(message);
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "message" in body;
}

function toApiError(body: unknown, response: Response | undefined): ApiError {
  if (isProblem(body)) {
    return new ApiError(body.status, body.code, body.message, body.remedy, body.reasons, body.request_id);
  }
  if (!response) return new ApiError(0, "offline", "", "");
  return new ApiError(response.status, "error", `${response.status} ${response.statusText}`.trim(), "");
}

client.setConfig({ baseUrl: "", credentials: "same-origin" });

client.interceptors.request.use((request) => {
  request.headers.set("accept-language", currentLanguage());
  // A page elsewhere cannot set this header: it marks requests that change something as ours.
  if (request.method !== "GET") request.headers.set("x-aimindserve-csrf", "1");
  return request;
});

client.interceptors.error.use((body, response: Response | undefined) => toApiError(body, response));

export function isApiError(error: unknown, code?: string): error is ApiError {
  return error instanceof ApiError && (code === undefined || error.code === code);
}
