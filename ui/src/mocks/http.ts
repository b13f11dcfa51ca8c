import type { ServerResponse } from "node:http";

export type Body = Record<string, unknown>;

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

/** A refusal, as the server words it. */
export function problem(response: ServerResponse, status: number, code: string, message: string, remedy: string): void {
  json(response, status, {
    type: "about:blank",
    title: code,
    status,
    code,
    message,
    params: {},
    remedy,
    request_id: "mock",
    reasons: [],
  });
}
