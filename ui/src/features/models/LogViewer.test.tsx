import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactElement } from "react";
import { describe, expect, it } from "vitest";
import type { LogChunk } from "@/api/generated/types.gen";
import "@/i18n";
import { addChunk, emptyLog, MOST_BYTES, readFrom } from "./log";
import { LogViewer } from "./LogViewer";
import type { ReadLog } from "./useLog";

const chunk = (change: Partial<LogChunk>): LogChunk => ({
  attempt: 1,
  offset: 0,
  next_offset: 0,
  size: 0,
  text: "",
  complete: false,
  attempts: [1],
  ...change,
});

describe("addChunk", () => {
  it("appends, without terminal codes", () => {
    const first = addChunk(emptyLog, chunk({ text: "\u001b[32mone\u001b[0m\r\n", next_offset: 14, size: 14 }));
    const second = addChunk(first, chunk({ offset: 14, text: "two\n", next_offset: 18, size: 18, complete: true }));
    expect(second).toMatchObject({ text: "one\ntwo\n", offset: 18, complete: true, skipped: 0 });
  });

  it("opens a long log at its end, with a whole line", () => {
    expect(readFrom(emptyLog)).toBe(-MOST_BYTES);
    const state = addChunk(emptyLog, chunk({ offset: 1000, text: "alf\nwhole\n", next_offset: 1010, size: 1010 }));
    expect(state).toMatchObject({ text: "whole\n", offset: 1010, skipped: 1000 });
    expect(readFrom(state)).toBe(1010);
  });

  it("is not over while bytes are missing", () => {
    expect(addChunk(emptyLog, chunk({ text: "a", next_offset: 1, size: 2, complete: true })).complete).toBe(false);
  });
});

/** A small log store: two attempts, the second still being written. */
function store(): { read: ReadLog; write: (text: string) => void; end: () => void } {
  const texts = new Map([
    [1, "first attempt\n"],
    [2, "second attempt\n"],
  ]);
  let ended = false;
  const read: ReadLog = (_replica, attempt, from) => {
    const number = attempt ?? 2;
    const text = texts.get(number) ?? "";
    const offset = Math.max(0, from);
    return Promise.resolve(
      chunk({
        attempt: number,
        offset,
        next_offset: text.length,
        size: text.length,
        text: text.slice(offset),
        complete: number === 1 || ended,
        attempts: [1, 2],
      }),
    );
  };
  const write = (more: string): void => {
    texts.set(2, (texts.get(2) ?? "") + more);
  };
  return { read, write, end: () => (ended = true) };
}

const page = (read: ReadLog): ReactElement => (
  <MantineProvider env="test">
    <LogViewer replica="r1" read={read} />
  </MantineProvider>
);

describe("LogViewer", () => {
  it("shows the latest attempt and what is added to it", async () => {
    const log = store();
    render(page(log.read));
    await waitFor(() => {
      expect(screen.getByRole("log").textContent).toBe("second attempt\n");
    });
    log.write("more\n");
    log.end();
    await waitFor(
      () => {
        expect(screen.getByRole("log").textContent).toBe("second attempt\nmore\n");
      },
      { timeout: 5000 },
    );
  });

  it("shows text as text", async () => {
    const log = store();
    log.write("<img src=x onerror=alert(1)>\n");
    render(page(log.read));
    await waitFor(() => {
      expect(screen.getByRole("log").textContent).toContain("<img src=x");
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
      expect(screen.getByRole("log").textContent).toBe("first attempt\n");
    });
  });
});
