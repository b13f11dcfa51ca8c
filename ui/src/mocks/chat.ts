import type { IncomingMessage, ServerResponse } from "node:http";
import type { Body } from "./http.ts";
import { json } from "./http.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A streamed answer, with things in it that a page must not trust. */
async function chat(request: IncomingMessage, response: ServerResponse, body: Body): Promise<void> {
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
  const words = answerTo(JSON.stringify(body.messages)).split(/(?<= )/);
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

const BOXES =
  '```json\n[{"bbox_2d": [592, 562, 814, 854], "label": "red star"}, {"bbox_2d": [594, 125, 812, 354], "label": "green rectangle"}]\n```';
const DESCRIPTION =
  '<think>A circle. Its colour is red.</think>The picture shows **a red circle** on a white ground, of area $\\pi r^2$:\n\n\\[A = \\pi \\cdot 70^2 \\approx 15394\\]\n\n| shape | colour |\n|---|---|\n| circle | red |\n\n```python\nprint("red")\n```\n\n![tracker](https://example.com/x.png) <b>not bold</b>';

/** Boxes for whoever asks for them. */
const answerTo = (messages: string): string => (messages.includes("bbox_2d") ? BOXES : DESCRIPTION);

/** Texts of the same first letter are alike. */
function vectors(response: ServerResponse, body: Body): void {
  const data = (body.input as string[]).map((text, index) => ({
    index,
    embedding: Array.from({ length: 8 }, (_, at) => Math.sin((text.charCodeAt(0) % 7) * (at + 1)) + text.length / 90),
  }));
  json(response, 200, { data });
}

function ranking(response: ServerResponse, body: Body): void {
  const results = (body.documents as string[]).map((text, index) => ({
    index,
    relevance_score: 1 / (1 + text.length),
  }));
  json(response, 200, { results });
}

/** The inference API. */
export async function inference(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  body: Body,
): Promise<void> {
  if (path === "/v1/embeddings") vectors(response, body);
  else if (path === "/v1/rerank") ranking(response, body);
  else await chat(request, response, body);
}
