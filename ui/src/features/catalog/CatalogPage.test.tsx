import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import "@/i18n";
import { catalogCards } from "@/mocks/catalog";
import { makeRouter } from "@/router";

const SESSION = { username: "admin", role: "admin", must_change_password: false, expires_at: 2e9 };

/** The page at `address`; answers what the server was asked, and the router. */
function open(address: string, { items = catalogCards(), session = SESSION, gpu = true } = {}) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (input: Request | string) => {
    if (typeof input === "string") return Promise.resolve(new Response(new ReadableStream({})));
    const { pathname, search } = new URL(input.url, "http://page");
    const path = pathname.replace("/api/v1", "");
    if (path === "/session") return Promise.resolve(Response.json(session));
    if (path === "/catalog") {
      asked.push(search);
      return Promise.resolve(Response.json({ items, total: 55, has_gpu: gpu }));
    }
    return Promise.resolve(Response.json({ items: [] }));
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
  return { asked, router };
}

const LONG = { timeout: 10_000 };
const card = async (name: string) => within(await screen.findByRole("article", { name }, LONG));

describe("CatalogPage", () => {
  it("shows each family with its best variant, whether it fits, and why not", async () => {
    open("/catalog");
    const fits = await card("Qwen2-VL");
    expect(fits.getByText("Fits")).toBeTruthy();
    expect(fits.getByText("The largest that your GPUs hold now, in full precision: about 6.3 GiB.")).toBeTruthy();
    expect(fits.getByText("BF16 · vLLM · 4.1 GiB download")).toBeTruthy();
    const large = await card("Llama 3.2 Vision");
    expect(large.getByText("Does not fit")).toBeTruthy();
    expect(large.getByText(/the largest GPU has 79 GiB/)).toBeTruthy();
    expect(screen.getByText("3 of 55 families")).toBeTruthy();
  });

  it("leads to the form, filled with the source, the arguments and the reason", async () => {
    open("/catalog");
    const href = (link: HTMLElement) => decodeURIComponent(link.getAttribute("href") ?? "");
    const plain = href((await card("Qwen2-VL")).getByRole("link", { name: /^Deploy/ }));
    expect(plain).toContain("/models?deploy=hf&repo=Qwen/Qwen2-VL-2B-Instruct&family=qwen2-vl");
    const special = href((await card("Llama 3.2 Vision")).getByRole("link", { name: /^Deploy/ }));
    expect(special).toContain('args=["--tokenizer-mode=mistral"]');
  });

  it("asks for what the address says, and keeps the filters there", async () => {
    const { asked, router } = open("/catalog?capability=vision&fits=true&size=small&source=ms&q=qwen");
    await card("Qwen2-VL");
    const query = new URLSearchParams(asked[0]);
    expect(Object.fromEntries(query)).toEqual({
      q: "qwen",
      capability: "vision",
      fits: "true",
      source: "ms",
      min_parameters: "3000000000",
      max_parameters: "10000000000",
    });
    fireEvent.click(screen.getByRole("switch", { name: "Fits my GPUs" }));
    fireEvent.click(screen.getByRole("radio", { name: "embedding" }));
    await waitFor(() => {
      expect(router.state.location.search).toEqual({ capability: "embedding", size: "small", source: "ms", q: "qwen" });
    });
    expect(new URLSearchParams(asked.at(-1)).get("capability")).toBe("embedding");
  });

  it("lists every variant of a family with the one that is best", async () => {
    open("/catalog?open=qwen2-vl");
    const drawer = within(await screen.findByRole("dialog", { name: "Variants of Qwen2-VL" }, LONG));
    expect(drawer.getByText("best for these machines").closest("li")?.getAttribute("data-variant")).toBe(
      "Qwen2-VL-2B-Instruct:bf16",
    );
    const link = drawer.getByRole("link", { name: "Deploy Qwen2-VL-2B-Instruct:Q4_K_M" });
    expect(link.getAttribute("href")).toContain("files=Q4_K_M");
    expect(link.getAttribute("href")).not.toContain("family=");
  });

  it("says what to do where nothing is found, and where there is no GPU", async () => {
    const { router } = open("/catalog?fits=true&source=ms", { items: [], gpu: false });
    expect(await screen.findByText(/Your machines hold none of these now/, undefined, LONG)).toBeTruthy();
    expect(screen.getByRole("switch", { name: "Fits my machines" })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Take the filters off" }));
    await waitFor(() => {
      expect(router.state.location.search).toEqual({ source: "ms" });
    });
  });

  it("is for administrators", async () => {
    open("/catalog", { session: { ...SESSION, role: "user" } });
    expect(await screen.findByText("The catalog is for administrators", undefined, LONG)).toBeTruthy();
  });
});
