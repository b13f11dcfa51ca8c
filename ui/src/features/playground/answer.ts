import { Meter } from "./meter";
import type { ChatRequest } from "./request";
import type { CallPiece, ChatDelta } from "./stream";
import { streamChat } from "./stream";
import type { AssistantTurn, Failure, ToolCall } from "./turns";

export const OFFLINE: Failure = { status: 0, code: "offline", message: "", requestId: null };

/** Calls with one more piece: the first piece of a call has its name, the others more of its arguments. */
export function withPiece(calls: readonly ToolCall[], piece: CallPiece): ToolCall[] {
  const old = calls[piece.index] ?? { id: "", name: "", arguments: "" };
  const grown = {
    id: old.id || piece.id,
    name: old.name + piece.name,
    arguments: old.arguments + piece.arguments,
  };
  const all = [...calls];
  all[Math.min(piece.index, calls.length)] = grown;
  return all;
}

/** The answer with what came next. */
export function grow(turn: AssistantTurn, delta: ChatDelta): AssistantTurn {
  const text = turn.text + delta.text;
  const reasoning = turn.reasoning + delta.reasoning;
  const calls = delta.calls.reduce(withPiece, turn.calls);
  const state = text || reasoning || calls.length > 0 ? "streaming" : turn.state;
  return { ...turn, text, reasoning, calls, state, finishReason: delta.finishReason ?? turn.finishReason };
}

function end(turn: AssistantTurn, meter: Meter, failure: Failure | null, stopped: boolean): AssistantTurn {
  const state = stopped ? "stopped" : failure ? "failed" : "done";
  return { ...turn, state, failure: stopped ? null : failure, stats: meter.stats(performance.now()) };
}

/** Asks, and hands on the answer as it grows, the whole one at last. Never throws: a failure is part of the answer. */
export async function stream(
  request: ChatRequest,
  first: AssistantTurn,
  signal: AbortSignal,
  onTurn: (turn: AssistantTurn) => void,
): Promise<void> {
  const meter = new Meter(performance.now());
  let turn = first;
  const failure = await streamChat(request, signal, (delta) => {
    meter.add(delta, performance.now());
    turn = grow(turn, delta);
    onTurn(turn);
  }).catch(() => OFFLINE);
  onTurn(end(turn, meter, failure, signal.aborted));
}
