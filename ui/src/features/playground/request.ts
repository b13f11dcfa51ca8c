import type { Sampling, Tool } from "./sampling";
import { schemaOf, toolsOf } from "./sampling";
import type { AssistantTurn, Turn, UserTurn } from "./turns";

type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

interface CalledTool {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | Part[];
  tool_calls?: CalledTool[];
  tool_call_id?: string;
}

/** The body of `POST /v1/chat/completions`. What is at its default stays away. */
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  temperature: number;
  top_p: number;
  max_tokens: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  seed?: number;
  stop?: string[];
  response_format?: { type: "json_schema"; json_schema: { name: string; schema: object; strict: true } };
  tools?: Tool[];
  skip_special_tokens?: false;
  stream: true;
  stream_options: { include_usage: true };
}

function userContent(turn: UserTurn): string | Part[] {
  if (turn.pictures.length === 0) return turn.text;
  const pictures = turn.pictures.map((picture): Part => ({ type: "image_url", image_url: { url: picture.src } }));
  return [...pictures, { type: "text", text: turn.text }];
}

function answered(turn: AssistantTurn): ChatMessage[] {
  if (!turn.text && turn.calls.length === 0) return [];
  const calls = turn.calls.map(({ id, name, arguments: args }): CalledTool => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }));
  return [{ role: "assistant", content: turn.text, ...(calls.length > 0 && { tool_calls: calls }) }];
}

function toMessage(turn: Turn): ChatMessage[] {
  if (turn.role === "user") return [{ role: "user", content: userContent(turn) }];
  if (turn.role === "tool") return [{ role: "tool", content: turn.text, tool_call_id: turn.call }];
  return answered(turn);
}

/** The turns that go along: all of them, or those since the last question. */
export function sentTurns(turns: readonly Turn[], memory: boolean): readonly Turn[] {
  const last = turns.findLastIndex((turn) => turn.role === "user");
  return memory ? turns : turns.slice(Math.max(0, last));
}

/** The body for these turns; pictures go before the text of their turn. */
export function buildRequest(model: string, turns: readonly Turn[], sampling: Sampling): ChatRequest {
  const system: ChatMessage[] = sampling.system.trim() ? [{ role: "system", content: sampling.system.trim() }] : [];
  const schema = schemaOf(sampling);
  const tools = toolsOf(sampling);
  return {
    model,
    messages: [...system, ...sentTurns(turns, sampling.memory).flatMap(toMessage)],
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxTokens,
    ...(sampling.presencePenalty !== 0 && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== 0 && { frequency_penalty: sampling.frequencyPenalty }),
    ...(sampling.seed !== null && { seed: sampling.seed }),
    ...(sampling.stop.length > 0 && { stop: sampling.stop }),
    ...(schema && {
      response_format: { type: "json_schema" as const, json_schema: { name: "answer", schema, strict: true as const } },
    }),
    ...(tools && { tools }),
    ...(sampling.specialTokens && { skip_special_tokens: false as const }),
    stream: true,
    stream_options: { include_usage: true },
  };
}
