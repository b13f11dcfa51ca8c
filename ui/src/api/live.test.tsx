import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { firstFiles, makeFiles } from "@/mocks/filesData";
import { useLive } from "./live";

type Answer = (signal: AbortSignal) => Response;

/** Answers the connections one after the other, the last one for ever; keeps the `Last-Event-ID` of each. */
function server(...answers: Answer[]): (string | undefined)[] {
  const ids: (string | undefined)[] = [];
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    ids.push((init.headers as Record<string, string>)["last-event-id"]);
    const answer = answers[Math.min(ids.length, answers.length) - 1];
    return answer && init.signal ? Promise.resolve(answer(init.signal)) : Promise.reject(new TypeError("offline"));
  });
  return ids;
}

function stream(text: string, open: boolean): Answer {
  return (signal) =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
          if (!open) controller.close();
          signal.addEventListener("abort", () => {
            if (open) controller.error(new DOMException("Aborted", "AbortError"));
          });
        },
      }),
    );
}

function listen(): { queries: QueryClient; live: () => boolean; unmount: () => void } {
  const queries = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }): ReactElement => (
    <QueryClientProvider client={queries}>{children}</QueryClientProvider>
  );
  const { result, unmount } = renderHook(useLive, { wrapper });
  return { queries, live: () => result.current, unmount };
}

const LONG = { timeout: 10_000 };

describe("useLive", () => {
  it("refreshes on events and goes on after the last one", async () => {
    const ids = server(stream("id: 41\nevent: replica.changed\ndata: {}\n\n", false), stream(": alive\n\n", true));
    const { queries, live, unmount } = listen();
    queries.setQueryData(["deployments"], []);
    await waitFor(() => {
      expect(queries.getQueryState(["deployments"])?.isInvalidated).toBe(true);
    }, LONG);
    await waitFor(() => {
      expect(ids).toEqual([undefined, "41"]);
    }, LONG);
    expect(live()).toBe(true);
    unmount();
  });

  it("shows progress without a refresh, and does not go on after it", async () => {
    const key = makeFiles().key;
    const data = JSON.stringify({ node_id: "n-1", files: { [key]: { done: 7, total: 9 } }, replicas: {} });
    const text = `id: 5\ndata: {}\n\nid: 6\nevent: progress\ndata: ${data}\n\n`;
    let sendProgress = (): void => undefined;
    const ids = server(
      (signal) => {
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            sendProgress = () => {
              controller.enqueue(new TextEncoder().encode(text.slice(text.indexOf("id: 6"))));
              controller.close();
            };
            controller.enqueue(new TextEncoder().encode(text.slice(0, text.indexOf("id: 6"))));
            signal.addEventListener("abort", () => undefined);
          },
        });
        return new Response(body);
      },
      stream(": alive\n\n", true),
    );
    const { queries, unmount } = listen();
    queries.setQueryData(["files"], firstFiles());
    await waitFor(() => {
      expect(queries.getQueryState(["files"])?.isInvalidated).toBe(true);
    }, LONG);
    queries.setQueryData(["files"], firstFiles());
    sendProgress();
    await waitFor(() => {
      const shown = queries.getQueryData<ReturnType<typeof firstFiles>>(["files"])?.items ?? [];
      expect(shown.find((item) => item.key === key)?.progress.done).toBe(7);
    }, LONG);
    expect(queries.getQueryState(["files"])?.isInvalidated).toBe(false);
    await waitFor(() => {
      expect(ids).toEqual([undefined, "5"]);
    }, LONG);
    unmount();
  });

  it("says when the server is gone, and when it is back", async () => {
    server(() => new Response("", { status: 503 }), stream(": alive\n\n", true));
    const { live, unmount } = listen();
    await waitFor(() => {
      expect(live()).toBe(false);
    }, LONG);
    await waitFor(() => {
      expect(live()).toBe(true);
    }, LONG);
    unmount();
  });

  it("looks at the session when it is refused", async () => {
    server(() => new Response("", { status: 401 }));
    const { queries, unmount } = listen();
    queries.setQueryData(["session"], { username: "admin" });
    await waitFor(() => {
      expect(queries.getQueryState(["session"])?.isInvalidated).toBe(true);
    }, LONG);
    unmount();
  });
});
