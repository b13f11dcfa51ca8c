import type { IncomingMessage, ServerResponse } from "node:http";
import type { Body } from "./http.ts";
import { json } from "./http.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A streamed answer, with things in it that a page must not trust. */
export async function chat(request: IncomingMessage, response: ServerResponse, body: Body): Promise<void> {
  const model = String(body.model);
  if (model === "broken") {
    json(response, 503, {
      error: {
        message: "The model broken is not running.",
        type: "server_error",
        code: "model_not_ready",
        source: "gateway",
      },
    });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const words =
    "The picture shows **a red circle** on a white ground.\n\n| shape | colour |\n|---|---|\n| circle | red |\n\n![tracker](https://example.com/x.png) <b>not bold</b>".split(
      /(?<= )/,
    );
  for (const word of words) {
    if (request.socket.destroyed) return;
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`);
    await pause(40);
  }
  response.write(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`);
  response.end(
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 31, completion_tokens: words.length } })}\n\ndata: [DONE]\n\n`,
  );
}
