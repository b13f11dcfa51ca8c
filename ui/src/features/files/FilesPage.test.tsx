import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { FilesView } from "@/api/generated/types.gen";
import "@/i18n";
import { firstFiles } from "@/mocks/filesData";
import { makeRouter } from "@/router";

const SESSION = { username: "admin", role: "admin", must_change_password: false, expires_at: 2e9 };

const FOUND = { items: [{ source: "hf://org/found-by-words" }], next: null, offline: null };

interface Sent {
  method: string;
  path: string;
  body: unknown;
}

/** The page at `address` of a server with these files; answers what the page orders. */
function open(address: string, files: FilesView, session: typeof SESSION = SESSION): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (input: Request | string) => {
    if (typeof input === "string") return new Response(new ReadableStream({})); // The event stream: nothing happens.
    const path = new URL(input.url, "http://page").pathname.replace("/api/v1", "");
    if (input.method !== "GET") {
      const text = await input.text();
      sent.push({ method: input.method, path, body: text ? (JSON.parse(text) as unknown) : null });
      return Response.json({}, { status: 202 });
    }
    if (path === "/session") return Response.json(session);
    if (path === "/hub/search" && input.url.includes("source=hf")) return Response.json(FOUND);
    return Response.json(path === "/files" ? files : { items: [] });
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = makeRouter(queries);
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return sent;
}

const LONG = { timeout: 10_000 };
const card = (name: string): Promise<HTMLElement> => screen.findByRole("article", { name }, LONG);

describe("FilesPage", () => {
  it("says where files come from, how far they are and who uses them", async () => {
    open("/files", firstFiles());
    const moving = within(await card("Qwen2-VL-7B-Instruct"));
    expect(moving.getByText(/^31 % · 6\.2 GiB of 19\.5 GiB · 84\.0 MiB\/s · 2 min 42 s left$/)).toBeTruthy();
    expect(moving.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("31");
    expect(moving.getByText("hf://Qwen/Qwen2-VL-7B-Instruct").getAttribute("href")).toMatch(
      /^https:\/\/huggingface\.co\/Qwen\/Qwen2-VL-7B-Instruct\/tree\//,
    );
    expect(moving.getByText("qwen2-vl-7b-long").getAttribute("href")).toContain("/models?open=qwen2-vl-7b-long");
    const failed = within(await card("Pixtral-12B-2409"));
    expect(failed.getByRole("alert").textContent).toContain("What to do: Accept it");
  });

  it("offers what the server allows, and orders it", async () => {
    const sent = open("/files", firstFiles());
    const used = within(await card("Qwen2-VL-7B-Instruct"));
    expect(used.queryByRole("button", { name: "Pause" })).toBeNull();
    const moving = within(await card("InternVL3-8B-GGUF"));
    expect(moving.queryByRole("button", { name: "Resume" })).toBeNull();
    fireEvent.click(moving.getByRole("button", { name: "Pause" }));
    await waitFor(() => {
      expect(sent).toEqual([{ method: "POST", path: "/files/n-1/f1b2c3d4e5f60718/pause", body: null }]);
    }, LONG);
  });

  it("says what deleting takes, frees and never touches", async () => {
    const sent = open("/files?q=2B", firstFiles());
    const ready = within(await card("Qwen2-VL-2B-Instruct-GGUF"));
    fireEvent.click(ready.getByRole("button", { name: /^More actions/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: "Delete files" }, LONG));
    const dialog = await screen.findByRole("dialog", {}, LONG);
    expect(dialog.textContent).toContain("940.0 MiB become free");
    expect(dialog.textContent).toContain("1.2 GiB stay");
    expect(dialog.textContent).toContain("Nothing outside the store /var/lib/aimindserve/models is touched");
    expect(sent).toEqual([]);
    fireEvent.click(within(dialog).getByRole("button", { name: "Delete files" }));
    await waitFor(() => {
      expect(sent).toEqual([{ method: "DELETE", path: "/files/n-1/a1b2c3d4e5f60718", body: null }]);
    }, LONG);
  });

  it("fetches ahead, to the machines chosen", async () => {
    const sent = open("/files?add=true", firstFiles());
    const dialog = within(await screen.findByRole("dialog", {}, LONG));
    const start = dialog.getByRole("button", { name: "Download" });
    expect(start.hasAttribute("disabled")).toBe(true);
    fireEvent.change(dialog.getByRole("combobox", { name: /^Source/ }), { target: { value: "hf://org/name:Q8_0" } });
    fireEvent.click(dialog.getByRole("checkbox", { name: "gpu-server" }));
    fireEvent.click(start);
    await waitFor(() => {
      expect(sent).toEqual([
        { method: "POST", path: "/files", body: { source: "hf://org/name:Q8_0", nodes: ["n-2"] } },
      ]);
    }, LONG);
  });

  it("imports from a disk, with or without its repository", async () => {
    const sent = open("/files?add=true", firstFiles());
    const dialog = within(await screen.findByRole("dialog", {}, LONG));
    fireEvent.change(dialog.getByRole("combobox", { name: /^Source/ }), { target: { value: "/media/usb/models" } });
    const copy = dialog.getByRole<HTMLInputElement>("checkbox", { name: /^Copy the files/ });
    expect(copy.checked).toBe(true);
    const start = dialog.getByRole("button", { name: "Import" });
    expect(start.hasAttribute("disabled")).toBe(true);
    expect(dialog.getByText(/^Files are imported on one machine/)).toBeTruthy();
    fireEvent.click(dialog.getByRole("checkbox", { name: "workstation" }));
    const from = dialog.getByRole("textbox", { name: /^Comes from/ });
    fireEvent.change(from, { target: { value: "nonsense" } });
    expect(start.hasAttribute("disabled")).toBe(true);
    fireEvent.change(from, { target: { value: "hf://org/name" } });
    fireEvent.click(start);
    await waitFor(() => {
      expect(sent).toEqual([
        {
          method: "POST",
          path: "/files/import",
          body: { path: "/media/usb/models", node: "n-1", source: "hf://org/name" },
        },
      ]);
    }, LONG);
  });

  it("only remembers a path that is not copied", async () => {
    const sent = open("/files?add=true", firstFiles());
    const dialog = within(await screen.findByRole("dialog", {}, LONG));
    fireEvent.change(dialog.getByRole("combobox", { name: /^Source/ }), { target: { value: "/models/a.gguf" } });
    expect(dialog.queryByRole("textbox", { name: /^Comes from/ })).toBeNull();
    fireEvent.click(dialog.getByRole("button", { name: "Put on the list" }));
    await waitFor(() => {
      expect(sent).toEqual([{ method: "POST", path: "/files", body: { source: "/models/a.gguf", nodes: [] } }]);
    }, LONG);
  });

  it("takes words, and what the hubs find for them", async () => {
    const sent = open("/files?add=true", firstFiles());
    const dialog = within(await screen.findByRole("dialog", {}, LONG));
    fireEvent.change(dialog.getByRole("combobox", { name: /^Source/ }), { target: { value: "some words" } });
    fireEvent.click(await screen.findByRole("option", { name: "hf://org/found-by-words", hidden: true }, LONG));
    fireEvent.click(dialog.getByRole("button", { name: "Download" }));
    await waitFor(() => {
      expect(sent).toEqual([
        { method: "POST", path: "/files", body: { source: "hf://org/found-by-words", nodes: [] } },
      ]);
    }, LONG);
  });

  it("teaches while it is empty, and shows the disk", async () => {
    open("/files", { ...firstFiles(), items: [] });
    expect(await screen.findByText("No model files yet", {}, LONG)).toBeTruthy();
    expect(screen.getByText(/^aimindserve files import /)).toBeTruthy();
    expect(screen.getByText(/812\.0 GiB free/)).toBeTruthy();
  });

  it("is for administrators", async () => {
    open("/files", firstFiles(), { ...SESSION, role: "user" });
    expect(await screen.findByText("Only for administrators", {}, LONG)).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Model Files" })).toBeNull();
  });
});
