import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import { makeMockApi } from "./server.ts";

/** The policy that the server sends with every page. Pages are tried under it, so that nothing depends on less. */
const CSP = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** An API in memory for `npm run dev:mock` and `npm run preview:mock`; log in as admin / initial. */
export function mockApi(): Plugin {
  const handle = makeMockApi();
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = request.url ?? "/";
    if (path.startsWith("/api/") || path.startsWith("/v1/")) void answer(handle, request, response);
    else next();
  };
  return {
    name: "mock-api",
    configureServer: (server) => {
      server.middlewares.use(serve);
    },
    configurePreviewServer: (server) => {
      server.middlewares.use((_request, response, next) => {
        response.setHeader("content-security-policy", CSP);
        next();
      });
      server.middlewares.use(serve);
    },
  };
}

type Handle = ReturnType<typeof makeMockApi>;

async function answer(handle: Handle, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  await handle(request, response, text ? (JSON.parse(text) as Record<string, unknown>) : {});
}
