import { readEvents } from "@/lib/sse";
import type { ChatRequest } from "./request";
import type { Failure } from "./turns";

/** A piece of a call of a tool; `index` says of which. */
export interface CallPiece {
  index: number;
  id: string;
  name: string;
  arguments: string;
}

/** What one `data:` line of the answer says. */
export interface ChatDelta {
  text: string;
  reasoning: string;
  calls: CallPiece[];
  finishReason: string | null;
  usage: { prompt: number; completion: number } | null;
  /** Tokens per second as the engine measured them; null where it does not say. */
  speed: number | null;
  failure: Failure | null;
}

interface RawCall {
  index?: number;
  id?: string | null;
  function?: { name?: string | null; arguments?: string | null };
}

interface RawDelta {
  content?: string | null;
  reasoning_content?: string | null; // llama.cpp, vLLM up to 0.10
  reasoning?: string | null; // vLLM since 0.11
  tool_calls?: RawCall[] | null;
}

interface RawChunk {
  choices?: { delta?: RawDelta; finish_reason?: string | null }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  timings?: { predicted_per_second?: number } | null; // llama.cpp's addition to the last chunk
  error?: { message?: string; code?: string | number | null; type?: string };
}

const usageOf = (usage: RawChunk["usage"]): ChatDelta["usage"] =>
  usage ? { prompt: usage.prompt_tokens ?? 0, completion: usage.completion_tokens ?? 0 } : null;

const pieceOf = (call: RawCall, place: number): CallPiece => ({
  index: call.index ?? place,
  id: call.id ?? "",
  name: call.function?.name ?? "",
  arguments: call.function?.arguments ?? "",
});

/** What the model wrote: the answer, thoughts, calls of tools. */
const written = (delta: RawDelta): Pick<ChatDelta, "text" | "reasoning" | "calls"> => ({
  text: delta.content ?? "",
  reasoning: delta.reasoning_content ?? delta.reasoning ?? "",
  calls: (delta.tool_calls ?? []).map(pieceOf),
});

/** The data of one event; null for the end mark. */
export function parseDelta(data: string): ChatDelta | null {
  if (data === "[DONE]") return null;
  const chunk = JSON.parse(data) as RawChunk;
  const choice = chunk.choices?.[0];
  return {
    ...written(choice?.delta ?? {}),
    finishReason: choice?.finish_reason ?? null,
    usage: usageOf(chunk.usage),
    speed: chunk.timings?.predicted_per_second ?? null,
    failure: chunk.error ? failureOf(0, chunk.error, null) : null,
  };
}

function failureOf(status: number, error: NonNullable<RawChunk["error"]>, requestId: string | null): Failure {
  return { status, code: String(error.code ?? error.type ?? "error"), message: error.message ?? "", requestId };
}

/** The failure that a refused request's answer describes, whatever its body is. */
export async function readFailure(response: Response): Promise<Failure> {
  const requestId = response.headers.get("x-request-id");
  const text = await response.text();
  try {
    const body = JSON.parse(text) as RawChunk & { code?: string; message?: string };
    if (body.error) return failureOf(response.status, body.error, requestId);
    return { status: response.status, code: body.code ?? "error", message: body.message ?? "", requestId };
  } catch {
    return { status: response.status, code: "error", message: text.slice(0, 500), requestId };
  }
}

/** Asks the inference API, as the session of this page. */
export const postInference = (path: string, body: object, signal: AbortSignal): Promise<Response> =>
  fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-aimindserve-csrf": "1" },
    body: JSON.stringify(body),
    signal,
  });

/** Sends a request and hands on each delta; answers the failure of a refused or broken one, null when all went well. */
export async function streamChat(
  request: ChatRequest,
  signal: AbortSignal,
  onDelta: (delta: ChatDelta) => void,
): Promise<Failure | null> {
  const response = await postInference("/v1/chat/completions", request, signal);
  if (!response.ok || !response.body) return readFailure(response);
  for await (const event of readEvents(response.body)) {
    const delta = parseDelta(event.data);
    if (!delta) return null;
    if (delta.failure) return delta.failure;
    onDelta(delta);
  }
  return { status: 0, code: "stream_broken", message: "", requestId: response.headers.get("x-request-id") };
}
