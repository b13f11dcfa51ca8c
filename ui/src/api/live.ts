import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { readEvents } from "@/lib/sse";
import { applyProgress, parseProgress } from "./progress";
import { sessionQuery } from "./queries";

/** Events that arrive together (a start is a dozen of them) cause one refresh. */
const GATHER_MS = 150;
/** While events keep coming, this often is enough for people, and leaves the browser time for them. */
const BUSY_MS = 1000;
const RETRY_MS = [500, 1000, 2000, 5000];
/** The server writes something every 15 s; a connection that is silent for longer than this is dead. */
const SILENCE_MS = 45_000;
/** The name of events that tell how downloads stand. They come every second, have no id and are never sent again. */
const PROGRESS = "progress";

interface Listener {
  onOpen: () => void;
  onEvent: () => void;
  /** Downloads got on: nothing else changed, and the event is not kept. */
  onProgress: (data: string) => void;
  /** The server does not let this session listen (any more). */
  onRefused: () => void;
}

/** A signal that fires with `outer`, or when `heard` was not called for too long. */
function watchdog(outer: AbortSignal): { signal: AbortSignal; heard: () => void; done: () => void } {
  const controller = new AbortController();
  const give = (): void => {
    controller.abort();
  };
  let timer = setTimeout(give, SILENCE_MS);
  outer.addEventListener("abort", give, { once: true });
  return {
    signal: controller.signal,
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(give, SILENCE_MS);
    },
    done: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", give);
    },
  };
}

/** Reads the server's events until the connection ends; answers the id of the last one, to go on from there. */
async function follow(lastId: string | null, outer: AbortSignal, listener: Listener): Promise<string | null> {
  const { signal, heard, done } = watchdog(outer);
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId !== null) headers["last-event-id"] = lastId;
    const response = await fetch("/api/v1/events?follow=true", { headers, signal });
    if (response.status === 401 || response.status === 403) listener.onRefused();
    if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
    listener.onOpen();
    let last = lastId;
    for await (const event of readEvents(response.body, heard)) {
      if (event.event === PROGRESS) {
        listener.onProgress(event.data);
        continue;
      }
      last = event.id ?? last;
      listener.onEvent();
    }
    return last;
  } finally {
    done();
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function followForever(signal: AbortSignal, listener: Listener, onLost: () => void): Promise<void> {
  let lastId: string | null = null;
  let failures = 0;
  const counted: Listener = {
    ...listener,
    onOpen: () => {
      failures = 0;
      listener.onOpen();
    },
  };
  while (!signal.aborted) {
    try {
      lastId = await follow(lastId, signal, counted);
    } catch {
      onLost();
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
    let refreshed = -Infinity;
    const refresh = (): void => {
      const busy = performance.now() - refreshed < BUSY_MS;
      const wait = busy ? BUSY_MS : GATHER_MS;
      timer ??= setTimeout(() => {
        timer = undefined;
        refreshed = performance.now();
        void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" });
      }, wait);
    };
    const listener: Listener = {
      onOpen: () => {
        setLive(true);
        refresh(); // What happened while nobody listened.
      },
      onEvent: refresh,
      onProgress: (data) => {
        const progress = parseProgress(data);
        if (progress) applyProgress(queries, progress);
      },
      onRefused: () => void queries.invalidateQueries(sessionQuery),
    };
    void followForever(controller.signal, listener, () => {
      setLive(false);
    });
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [queries]);
  return live;
}
