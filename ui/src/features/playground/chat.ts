import { readEvents } from "@/lib/sse";

/** A picture as it will be sent. `original` is set where the page changed its size or shape. */
export interface Picture {
  id: string;
  name: string;
  dataUri: string;
  width: number;
  height: number;
  original: { width: number; height: number } | null;
  padded: boolean;
}

export interface Sampling {
  system: string;
  temperature: number;
  topP: number;
  maxTokens: number;
}

export interface UserTurn {
  role: "user";
  text: string;
  pictures: Picture[];
}

export interface Failure {
  status: number;
  code: string;
  message: string;
  requestId: string | null;
}

export interface Stats {
  ttftMs: number | null;
  tokensPerSecond: number | null;
  promptTokens: number | null;
  completionTokens: number | null;
}

export interface AssistantTurn {
  role: "assistant";
  text: string;
  state: "waiting" | "streaming" | "done" | "stopped" | "failed";
  finishReason: string | null;
  stats: Stats | null;
  failure: Failure | null;
}

export type Turn = UserTurn | AssistantTurn;

type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string | Part[];
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  temperature: number;
  top_p: number;
  max_tokens: number;
  stream: true;
  stream_options: { include_usage: true };
}

function userContent(turn: UserTurn): string | Part[] {
  if (turn.pictures.length === 0) return turn.text;
  const pictures = turn.pictures.map((picture): Part => ({ type: "image_url", image_url: { url: picture.dataUri } }));
  return [...pictures, { type: "text", text: turn.text }];
}

function toMessage(turn: Turn): ChatMessage[] {
  if (turn.role === "user") return [{ role: "user", content: userContent(turn) }];
  return turn.text ? [{ role: "assistant", content: turn.text }] : [];
}

/** The body of `POST /v1/chat/completions` for these turns; pictures go before the text of their turn. */
export function buildRequest(model: string, turns: Turn[], sampling: Sampling): ChatRequest {
  const system: ChatMessage[] = sampling.system.trim() ? [{ role: "system", content: sampling.system.trim() }] : [];
  return {
    model,
    messages: [...system, ...turns.flatMap(toMessage)],
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxTokens,
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** What one `data:` line of the answer says. */
export interface ChatDelta {
  text: string;
  finishReason: string | null;
  usage: { prompt: number; completion: number } | null;
  /** Tokens per second as the engine measured them; null where it does not say. */
  speed: number | null;
  failure: Failure | null;
}

interface RawChunk {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  timings?: { predicted_per_second?: number } | null; // llama.cpp's addition to the last chunk
  error?: { message?: string; code?: string | number | null; type?: string };
}

const usageOf = (usage: RawChunk["usage"]): ChatDelta["usage"] =>
  usage ? { prompt: usage.prompt_tokens ?? 0, completion: usage.completion_tokens ?? 0 } : null;

/** The data of one event; null for the end mark. */
export function parseDelta(data: string): ChatDelta | null {
  if (data === "[DONE]") return null;
  const chunk = JSON.parse(data) as RawChunk;
  const choice = chunk.choices?.[0];
  return {
    text: choice?.delta?.content ?? "",
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

/** Sends a request and hands on each delta; answers the failure of a refused or broken one, null when all went well. */
export async function streamChat(
  request: ChatRequest,
  signal: AbortSignal,
  onDelta: (delta: ChatDelta) => void,
): Promise<Failure | null> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", "x-aimindserve-csrf": "1" },
    body: JSON.stringify(request),
    signal,
  });
  if (!response.ok || !response.body) return readFailure(response);
  for await (const event of readEvents(response.body)) {
    const delta = parseDelta(event.data);
    if (!delta) return null;
    if (delta.failure) return delta.failure;
    onDelta(delta);
  }
  return { status: 0, code: "stream_broken", message: "", requestId: response.headers.get("x-request-id") };
}
