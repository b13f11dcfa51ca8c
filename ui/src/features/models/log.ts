import type { LogChunk } from "@/api/generated/types.gen";

/** What the page holds of a log. `offset`: where to read on, null before the first look; `skipped`: bytes left out. */
export interface LogState {
  text: string;
  offset: number | null;
  skipped: number;
  complete: boolean;
  attempts: readonly number[];
}

/** A page that shows more than this only gets slow; the rest is in the file. */
export const MOST_BYTES = 256 * 1024;
const MOST_CHARACTERS = 512 * 1024;

export const emptyLog: LogState = { text: "", offset: null, skipped: 0, complete: false, attempts: [] };

/** Colours and cursor moves of a terminal mean nothing here. */
// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]|\r(?=\n)/g;

/** Where to read next: at first the end of the log, from then on what was added. */
export const readFrom = (state: LogState): number => state.offset ?? -MOST_BYTES;

const wholeLines = (text: string): string => text.slice(text.indexOf("\n") + 1);

/** The log after one more portion of it; what does not start at the beginning starts with a whole line. */
export function addChunk(state: LogState, chunk: LogChunk): LogState {
  const skipped = state.offset === null ? chunk.offset : state.skipped;
  const added = state.offset === null && skipped > 0 ? wholeLines(chunk.text) : chunk.text;
  const text = state.text + added.replace(ANSI, "");
  return {
    text: text.length > MOST_CHARACTERS ? wholeLines(text.slice(-MOST_CHARACTERS)) : text,
    offset: chunk.next_offset,
    skipped,
    complete: (chunk.complete ?? false) && chunk.next_offset >= chunk.size,
    attempts: chunk.attempts ?? state.attempts,
  };
}
