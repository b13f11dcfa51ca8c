import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactElement } from "react";
import { describe, expect, it } from "vitest";
import type { LogChunk } from "@/api/generated/types.gen";
import "@/i18n";
import { LogViewer } from "./LogViewer";
import type { ReadLog } from "./useLog";
import { wholeLog } from "./useLog";

/** A small log store: two attempts, the second still being written; it answers `most` characters at a time. */
function store(most = 1000): { read: ReadLog; write: (text: string) => void; end: () => void } {
  const texts = new Map([
    [1, "first attempt\n"],
    [2, "second attempt\n"],
  ]);
  let ended = false;
  const read: ReadLog = (_replica, attempt, from) => {
    const number = attempt ?? 2;
    const text = texts.get(number) ?? "";
    const offset = Math.max(0, from);
    const part = text.slice(offset, offset + most);
    const chunk: LogChunk = {
      attempt: number,
      offset,
      next_offset: offset + part.length,
      size: text.length,
      text: part,
      complete: number === 1 || ended,
      attempts: [1, 2],
    };
    return Promise.resolve(chunk);
  };
  const write = (more: string): void => {
    texts.set(2, (texts.get(2) ?? "") + more);
  };
  return { read, write, end: () => (ended = true) };
}

const page = (read: ReadLog): ReactElement => (
  <QueryClientProvider client={new QueryClient()}>
    <MantineProvider env="test">
      <LogViewer replica="r1" read={read} />
    </MantineProvider>
  </QueryClientProvider>
);

const shown = (): string => screen.getByRole("log").textContent;

describe("LogViewer", () => {
  it("shows the latest attempt and what is added to it", async () => {
    const log = store();
    render(page(log.read));
    await waitFor(() => {
      expect(shown()).toBe("second attempt\n");
    });
    log.write("more\n");
    log.end();
    await waitFor(() => {
      expect(shown()).toBe("second attempt\nmore\n");
    });
  });

  it("shows text as text", async () => {
    const log = store();
    log.write("<img src=x onerror=alert(1)>\n");
    render(page(log.read));
    await waitFor(() => {
      expect(shown()).toContain("<img src=x");
    });
    expect(document.querySelector("[role=log] img")).toBeNull();
  });

  it("goes back to an earlier attempt", async () => {
    render(page(store().read));
    const select = await screen.findByRole("combobox");
    await waitFor(() => {
      expect(select.hasAttribute("disabled")).toBe(false);
    });
    fireEvent.click(select);
    const options = await screen.findAllByRole("option", { hidden: true });
    fireEvent.click(options[0] ?? select);
    await waitFor(() => {
      expect(shown()).toBe("first attempt\n");
    });
  });

  it("holds a hundred thousand lines and draws few of them", async () => {
    const log = store(10_000_000);
    log.write(Array.from({ length: 100_000 }, (_, line) => `line ${line}\n`).join(""));
    log.end();
    render(page(log.read));
    await waitFor(() => {
      expect(screen.getByText(/100,001 lines/)).toBeTruthy();
    });
    expect(screen.getByRole("log").querySelectorAll("div").length).toBeLessThan(200);
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "LINE 9999" } });
    await waitFor(() => {
      expect(screen.getByRole("status").textContent).toBe("1 / 11");
    });
  });
});

it("the download has every byte, however it comes", async () => {
  const log = store(7);
  log.write("the whole story\n");
  expect(await wholeLog("r1", null, log.read)).toBe("second attempt\nthe whole story\n");
});
