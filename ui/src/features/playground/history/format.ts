import type { Sampling } from "../sampling";
import { SAMPLING } from "../sampling";
import type { Area, AssistantTurn, Picture, Stats, ToolCall, Turn } from "../turns";

/** A conversation as it is kept. `at`: milliseconds since 1970 of the last change. */
export interface Saved {
  id: string;
  title: string;
  model: string;
  at: number;
  turns: Turn[];
  sampling: Sampling;
}

/** What the list of conversations shows. `bytes`: about as much as the conversation takes. */
export interface Head {
  id: string;
  title: string;
  model: string;
  at: number;
  bytes: number;
}

const FORMAT = "aimindserve-conversations";
const VERSION = 1;
const LONGEST_TITLE = 80;

/** The first words that somebody asked. */
export function titleOf(turns: readonly Turn[]): string {
  const text = turns.find((turn) => turn.role === "user" && turn.text.trim() !== "")?.text ?? "";
  return text.trim().replace(/\s+/g, " ").slice(0, LONGEST_TITLE);
}

export const headOf = (saved: Saved): Head => ({
  id: saved.id,
  title: saved.title,
  model: saved.model,
  at: saved.at,
  bytes: JSON.stringify(saved.turns).length,
});

export const exported = (conversations: readonly Saved[]): string =>
  JSON.stringify({ format: FORMAT, version: VERSION, conversations });

type Fields = Record<string, unknown>;

class Unfit extends Error {}

function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unfit();
  return value as Fields;
}

function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new Unfit();
  return value.map(read);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Unfit();
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Unfit();
  return value;
}

const orNull = <T>(value: unknown, read: (given: unknown) => T): T | null =>
  value === null || value === undefined ? null : read(value);

const area = (value: unknown): Area => {
  const { x, y, width, height } = fields(value);
  return { x: number(x), y: number(y), width: number(width), height: number(height) };
};

/** Pictures are data: URIs of pictures or addresses, never anything else: what is read here is shown. */
function source(value: unknown): string {
  const src = text(value);
  if (!/^(?:data:image\/(?:png|jpeg|webp|gif|bmp);base64,[\w+/=]*$|https?:\/\/)/.test(src)) throw new Unfit();
  return src;
}

function picture(value: unknown): Picture {
  const given = fields(value);
  const original = fields(given.original);
  return {
    id: text(given.id),
    name: text(given.name),
    src: source(given.src),
    width: number(given.width),
    height: number(given.height),
    inner: area(given.inner),
    original: { width: number(original.width), height: number(original.height) },
  };
}

const call = (value: unknown): ToolCall => {
  const given = fields(value);
  return { id: text(given.id), name: text(given.name), arguments: text(given.arguments) };
};

const stats = (value: unknown): Stats => {
  const given = fields(value);
  return {
    ttftMs: orNull(given.ttftMs, number),
    totalMs: number(given.totalMs),
    tokensPerSecond: orNull(given.tokensPerSecond, number),
    promptTokens: orNull(given.promptTokens, number),
    completionTokens: orNull(given.completionTokens, number),
  };
};

function answer(id: string, given: Fields): AssistantTurn {
  const state = given.state === "done" ? "done" : "stopped"; // Failures and what was under way are not kept.
  return {
    id,
    role: "assistant",
    model: orNull(given.model, text),
    text: text(given.text),
    reasoning: text(given.reasoning),
    calls: list(given.calls, call),
    state,
    finishReason: orNull(given.finishReason, text),
    stats: orNull(given.stats, stats),
    failure: null,
  };
}

function turn(value: unknown): Turn {
  const given = fields(value);
  const id = text(given.id);
  if (given.role === "user")
    return { id, role: "user", text: text(given.text), pictures: list(given.pictures, picture) };
  if (given.role === "tool")
    return { id, role: "tool", call: text(given.call), name: text(given.name), text: text(given.text) };
  if (given.role !== "assistant") throw new Unfit();
  return answer(id, given);
}

/** The known parameters of the right kind; the others are at their defaults. */
function sampling(value: unknown): Sampling {
  const given = fields(value);
  const known = Object.entries(SAMPLING).filter(([name, usual]) => {
    const found = given[name];
    if (name === "seed") return found === null || typeof found === "number";
    return Array.isArray(usual)
      ? Array.isArray(found) && found.every((item) => typeof item === "string")
      : typeof found === typeof usual;
  });
  return { ...SAMPLING, ...Object.fromEntries(known.map(([name]) => [name, given[name]])) };
}

function conversation(value: unknown): Saved {
  const given = fields(value);
  const turns = list(given.turns, turn);
  return {
    id: text(given.id),
    title: text(given.title).slice(0, LONGEST_TITLE),
    model: text(given.model),
    at: number(given.at),
    turns,
    sampling: sampling(given.sampling),
  };
}

/** What a browser kept or a file holds; null where it is nothing that we wrote. */
export function readSaved(value: unknown): Saved | null {
  try {
    return conversation(value);
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

/** The conversations of a file; null where it is no such file or any of them is damaged. */
export function imported(file: string): Saved[] | null {
  try {
    const whole = fields(JSON.parse(file));
    if (whole.format !== FORMAT || whole.version !== VERSION) return null;
    return list(whole.conversations, conversation);
  } catch (error) {
    if (error instanceof Unfit || error instanceof SyntaxError) return null;
    throw error;
  }
}
