import { useEffect, useState } from "react";
import { api } from "@/api/calls";
import type { LogChunk } from "@/api/generated/types.gen";
import type { LogState } from "./log";
import { addChunk, emptyLog, readFrom } from "./log";

/** Between two looks at a log that is still being written. */
const WAIT_MS = 1000;

export type ReadLog = (
  replica: string,
  attempt: number | null,
  offset: number,
  signal: AbortSignal,
) => Promise<LogChunk>;

async function readOn(
  read: ReadLog,
  replica: string,
  attempt: number | null,
  signal: AbortSignal,
  show: (state: LogState) => void,
): Promise<void> {
  let state = emptyLog;
  while (!signal.aborted && !state.complete) {
    const before = state.offset;
    state = addChunk(state, await read(replica, attempt, readFrom(state), signal));
    show(state);
    if (state.offset === before && !state.complete) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/** The whole text of one attempt as it is now, from its first byte. */
export async function wholeLog(replica: string, attempt: number | null, read: ReadLog = api.log): Promise<string> {
  const { signal } = new AbortController();
  const parts: string[] = [];
  for (let offset = 0; ;) {
    const chunk = await read(replica, attempt, offset, signal);
    parts.push(chunk.text);
    if (chunk.next_offset <= offset || chunk.next_offset >= chunk.size) return parts.join("");
    offset = chunk.next_offset;
  }
}

interface Held {
  of: string;
  state: LogState;
  error: unknown;
}

/** The log of one attempt (null: the latest), growing while it is written. */
export function useLog(replica: string, attempt: number | null, read: ReadLog = api.log): Omit<Held, "of"> {
  const of = `${replica}/${attempt ?? "latest"}`;
  const [held, setHeld] = useState<Held>({ of, state: emptyLog, error: null });
  useEffect(() => {
    const controller = new AbortController();
    const show = (state: LogState): void => {
      if (!controller.signal.aborted) setHeld({ of, state, error: null });
    };
    readOn(read, replica, attempt, controller.signal, show).catch((error: unknown) => {
      if (!controller.signal.aborted) setHeld((old) => ({ ...old, error }));
    });
    return () => {
      controller.abort();
    };
  }, [of, replica, attempt, read]);
  return held.of === of ? held : { state: emptyLog, error: null };
}
