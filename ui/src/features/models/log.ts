import type { LogChunk } from "@/api/generated/types.gen";

/** What the page holds of a log: whole `lines`, and the `rest` of one that goes on. `offset`: where to read on, null
 * before the first look; `skipped`: bytes left out; `dropped`: lines that made room for later ones. */
export interface LogState {
  lines: readonly string[];
  rest: string;
  offset: number | null;
  skipped: number;
  dropped: number;
  complete: boolean;
  attempts: readonly number[];
}

/** From a longer log only the end is read. */
export const MOST_BYTES = 16 * 1024 * 1024;
/** Only what is seen is drawn, so this is about memory alone. */
export const MOST_LINES = 200_000;
/** A longer line is cut: no log of an engine has one that people read to its end. */
const MOST_CHARACTERS = 4000;

export const emptyLog: LogState = {
  lines: [],
  rest: "",
  offset: null,
  skipped: 0,
  dropped: 0,
  complete: false,
  attempts: [],
};

/** Colours and cursor moves of a terminal mean nothing here. */
// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]|\r(?=\n)/g;

/** Where to read next: at first the end of the log, from then on what was added. */
export const readFrom = (state: LogState): number => state.offset ?? -MOST_BYTES;

const cut = (line: string): string => (line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line);

/** A bar of progress writes its line again and again: the last state is what is left on a terminal. */
const lastState = (line: string): string => line.slice(line.lastIndexOf("\r", line.length - 2) + 1);

/** The log after one more portion of it; what does not start at the beginning starts with a whole line. */
export function addChunk(state: LogState, chunk: LogChunk): LogState {
  const first = state.offset === null;
  const skipped = first ? chunk.offset : state.skipped;
  const parts = (state.rest + chunk.text.replace(ANSI, "")).split("\n");
  const rest = parts.pop() ?? "";
  const added = (first && skipped > 0 ? parts.slice(1) : parts).map((line) => cut(lastState(line)));
  const lines = added.length > 0 ? [...state.lines, ...added] : state.lines;
  const surplus = Math.max(0, lines.length - MOST_LINES);
  return {
    lines: surplus > 0 ? lines.slice(surplus) : lines,
    rest,
    offset: chunk.next_offset,
    skipped,
    dropped: state.dropped + surplus,
    complete: (chunk.complete ?? false) && chunk.next_offset >= chunk.size,
    attempts: chunk.attempts ?? state.attempts,
  };
}

/** All that is shown, the line that goes on included. */
export const shownLines = ({ lines, rest }: LogState): readonly string[] => (rest ? [...lines, cut(rest)] : lines);

/** The numbers of the lines that hold `word`, whatever its case. */
export function matchesIn(lines: readonly string[], word: string): number[] {
  const wanted = word.toLowerCase();
  if (!wanted) return [];
  return lines.flatMap((line, number) => (line.toLowerCase().includes(wanted) ? [number] : []));
}

/** A line in pieces: those that match what is looked for, and those between. */
export function pieces(line: string, word: string): { text: string; matches: boolean }[] {
  const wanted = word.toLowerCase();
  if (!wanted) return [{ text: line, matches: false }];
  const found: { text: string; matches: boolean }[] = [];
  const lower = line.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) found.push({ text: line.slice(from, at), matches: false });
    found.push({ text: line.slice(at, at + wanted.length), matches: true });
    from = at + wanted.length;
  }
  if (from < line.length || found.length === 0) found.push({ text: line.slice(from), matches: false });
  return found;
}

/** The lines that a frame of this height shows at this place, some more on both sides included. */
export function windowOf(
  scrollTop: number,
  height: number,
  lineHeight: number,
  count: number,
): { from: number; to: number } {
  const spare = 30;
  const from = Math.max(0, Math.floor(scrollTop / lineHeight) - spare);
  const to = Math.min(count, Math.ceil((scrollTop + height) / lineHeight) + spare);
  return { from: Math.min(from, to), to };
}
