import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { readEvents } from "@/lib/sse";

/** Events that arrive together (a start is a dozen of them) cause one refresh. */
const GATHER_MS = 150;
const RETRY_MS = [500, 1000, 2000, 5000];

/** Reads the server's events until the connection ends; answers the id of the last one, to go on from there. */
async function follow(lastId: string | null, signal: AbortSignal, onOpen: () => void, onEvent: () => void) {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (lastId !== null) headers["last-event-id"] = lastId;
  const response = await fetch("/api/v1/events?follow=true", { headers, signal });
  if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
  onOpen();
  let last = lastId;
  for await (const event of readEvents(response.body)) {
    last = event.id ?? last;
    onEvent();
  }
  return last;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function followForever(signal: AbortSignal, refresh: () => void, setLive: (live: boolean) => void) {
  let lastId: string | null = null;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const opened = (): void => {
        failures = 0;
        setLive(true);
        refresh(); // What happened while nobody listened.
      };
      lastId = await follow(lastId, signal, opened, refresh);
    } catch {
      setLive(false);
    }
    await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000, signal);
    failures += 1;
  }
}

/** Keeps every query fresh by the server's event stream. Answers whether the stream is up. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [live, setLive] = useState(true);
  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" });
      }, GATHER_MS);
    };
    void followForever(controller.signal, refresh, setLive);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [queries]);
  return live;
}
