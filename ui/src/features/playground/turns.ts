/** A place on a canvas, in pixels. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A picture as it is sent: `width` × `height` pixels, in which the picture itself lies at `inner` (all of it, unless it
 * was padded), made of `original` pixels. `src`: a data: URI; an address where the gateway is to fetch it, and then
 * nobody here knows the sizes: they are 0. */
export interface Picture {
  id: string;
  name: string;
  src: string;
  width: number;
  height: number;
  inner: Area;
  original: { width: number; height: number };
}

export const isRemote = (picture: Picture): boolean => !picture.src.startsWith("data:");

export interface UserTurn {
  id: string;
  role: "user";
  text: string;
  pictures: Picture[];
}

/** A call of a tool, as the model wrote it. `arguments`: JSON, if the model kept to it. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** What a tool answered to a call. */
export interface ToolTurn {
  id: string;
  role: "tool";
  call: string;
  name: string;
  text: string;
}

export interface Failure {
  status: number;
  code: string;
  message: string;
  requestId: string | null;
}

export interface Stats {
  ttftMs: number | null;
  totalMs: number;
  tokensPerSecond: number | null;
  promptTokens: number | null;
  completionTokens: number | null;
}

/** `reasoning`: thoughts that came apart from the answer. `model`: who answered; null for what a person wrote. */
export interface AssistantTurn {
  id: string;
  role: "assistant";
  model: string | null;
  text: string;
  reasoning: string;
  calls: ToolCall[];
  state: "waiting" | "streaming" | "done" | "stopped" | "failed";
  finishReason: string | null;
  stats: Stats | null;
  failure: Failure | null;
}

export type Turn = UserTurn | AssistantTurn | ToolTurn;

export const newId = (): string => [...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join("");

/** An answer that is asked for. */
export const waiting = (model: string | null): AssistantTurn => ({
  id: newId(),
  role: "assistant",
  model,
  text: "",
  reasoning: "",
  calls: [],
  state: "waiting",
  finishReason: null,
  stats: null,
  failure: null,
});

export const isOver = (turn: AssistantTurn): boolean => turn.state !== "waiting" && turn.state !== "streaming";

/** The pictures that the answer at `index` is about: those of the last question before it that has any. */
export function picturesFor(turns: readonly Turn[], index: number): readonly Picture[] {
  const asked = turns.slice(0, index).findLast((turn) => turn.role === "user" && turn.pictures.length > 0);
  return asked?.role === "user" ? asked.pictures : [];
}
