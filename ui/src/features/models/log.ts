import type { LogChunk } from "@/api/generated/types.gen";

/** What the page holds of a log. `skipped`: bytes left out at its start. */
export interface LogState {
  text: string;
  offset: number;
  skipped: number;
  complete: boolean;
  attempts: readonly number[];
}

/** A page that shows more than this only gets slow; the rest is in the file. */
export const MOST_BYTES = 256 * 1024;
const MOST_CHARACTERS = 512 * 1024;

export const emptyLog: LogState = { text: "", offset: 0, skipped: 0, complete: false, attempts: [] };

/** Colours and cursor moves of a terminal mean nothing here. */
// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]|\r(?=\n)/g;

/** The log after one more portion of it. Skips ahead when a long log is opened at its start. */
export function addChunk(state: LogState, chunk: LogChunk): LogState {
  const attempts = chunk.attempts ?? state.attempts;
  if (state.offset === 0 && chunk.size > MOST_BYTES && chunk.next_offset < chunk.size - MOST_BYTES) {
    const offset = chunk.size - MOST_BYTES;
    return { text: "", offset, skipped: offset, complete: false, attempts };
  }
  const text = state.text + chunk.text.replace(ANSI, "");
  return {
    text: text.length > MOST_CHARACTERS ? text.slice(text.indexOf("\n", text.length - MOST_CHARACTERS) + 1) : text,
    offset: chunk.next_offset,
    skipped: state.skipped,
    complete: (chunk.complete ?? false) && chunk.next_offset >= chunk.size,
    attempts,
  };
}
