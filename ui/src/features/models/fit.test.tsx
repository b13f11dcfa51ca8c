import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactElement } from "react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import type { AlternativeView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { DeviceBar } from "@/components/DeviceBar";
import { barsOf } from "@/lib/memory";
import { makeDeployment, PARAMETERS } from "@/mocks/data";
import { makeFit } from "@/mocks/fit";
import { Alternatives } from "./Alternatives";
import { ParameterTable } from "./ParameterTable";

const DEPLOYMENTS = [makeDeployment({ name: "llama" })];

function show(element: ReactElement): HTMLElement {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  queries.setQueryData(deploymentsQuery.queryKey, DEPLOYMENTS);
  return render(
    <QueryClientProvider client={queries}>
      <MantineProvider env="test">{element}</MantineProvider>
    </QueryClientProvider>,
  ).container;
}

function Table({ first, seen }: { first: string[]; seen: (given: string[]) => void }): ReactElement {
  const [given, setGiven] = useState(first);
  const change = (next: string[]): void => {
    seen(next);
    setGiven(next);
  };
  return <ParameterTable parameters={PARAMETERS} given={given} onChange={change} />;
}

const origin = (flag: string): string | null | undefined =>
  document.querySelector(`[data-flag="${flag}"]`)?.getAttribute("data-origin");

describe("ParameterTable", () => {
  it("takes a typed value as yours, and gives an empty one back", () => {
    const seen: string[][] = [];
    show(<Table first={["--seed=1"]} seen={(given) => seen.push(given)} />);
    const field = screen.getByRole("textbox", { name: "Value of --ctx-size" });
    fireEvent.focus(field);
    fireEvent.change(field, { target: { value: "4096" } });
    expect(origin("--ctx-size")).toBe("yours");
    fireEvent.change(field, { target: { value: "" } });
    expect(field).toHaveProperty("value", "");
    expect(origin("--ctx-size")).toBe("derived");
    fireEvent.blur(field);
    expect(field).toHaveProperty("value", "2048");
    expect(seen).toEqual([["--seed=1", "--ctx-size=4096"], ["--seed=1"]]);
  });

  it("resets a value however it was spelt, and lets nobody touch what is managed", () => {
    const seen: string[][] = [];
    show(<Table first={["-c", "512", "--seed=1"]} seen={(given) => seen.push(given)} />);
    expect(screen.getByRole("textbox", { name: "Value of --ctx-size" })).toHaveProperty("value", "512");
    fireEvent.click(screen.getByRole("button", { name: "Reset --ctx-size" }));
    expect(seen).toEqual([["--seed=1"]]);
    expect(document.querySelector('[data-flag="--no-webui"] input, [data-flag="--no-webui"] button')).toBeNull();
  });
});

describe("DeviceBar", () => {
  it("is one stop for Tab, and the arrow keys walk through it", () => {
    const [bar] = barsOf(makeFit("demo://tiny-vlm"));
    if (!bar) throw new Error("no bar");
    show(<DeviceBar label="GPU 0" stretches={bar.stretches} over={bar.over} />);
    const parts = screen.getAllByRole("button");
    expect(parts.filter((part) => part.tabIndex === 0)).toHaveLength(1);
    parts[0]?.focus();
    fireEvent.keyDown(parts[0] ?? document.body, { key: "ArrowRight" });
    expect(document.activeElement).toBe(parts[1]);
    fireEvent.keyDown(parts[1] ?? document.body, { key: "End" });
    expect(document.activeElement).toBe(parts.at(-1));
    expect(parts.at(-1)?.getAttribute("aria-label")).toMatch(/^Free: /);
    expect(screen.getByRole("button", { name: "qwen2-vl-2b: 30.0 GiB" })).toBeTruthy();
  });
});

describe("Alternatives", () => {
  const change: AlternativeView = { kind: "context", message: "", patch: {}, stop: [], others: {} };

  it("applies a change of this spec at once, and only names a card", () => {
    const applied: AlternativeView[] = [];
    const patch = { parameters: ["--ctx-size=1024"] };
    const all = [
      { ...change, message: "Shorter.", patch },
      { ...change, kind: "card" as const, message: "A card." },
    ];
    show(<Alternatives alternatives={all} onApply={(one) => applied.push(one)} />);
    fireEvent.click(screen.getByRole("button", { name: "Apply" }));
    expect(applied.map((one) => one.patch)).toEqual([patch]);
    expect(screen.getAllByRole("button")).toHaveLength(1);
  });

  it("changes another deployment only after it was confirmed, and only what was seen of it", async () => {
    const sent: unknown[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      const { pathname } = new URL(request.url);
      if (request.method !== "GET")
        sent.push([request.method, pathname, request.headers.get("if-match"), await request.json()]);
      return Response.json(request.method === "GET" ? { items: DEPLOYMENTS } : DEPLOYMENTS[0]);
    });
    const others = { llama: { parameters: ["--ctx-size=512"] } };
    const page = show(
      <Alternatives
        alternatives={[{ ...change, kind: "neighbour", message: "Less for llama.", others }]}
        onApply={vi.fn()}
      />,
    );
    fireEvent.click(screen.getByRole("button", { name: "Change…" }));
    expect(page.textContent).toContain("llama is started again");
    expect(sent).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: "Change llama" }));
    await waitFor(() => {
      expect(sent).toEqual([["PATCH", "/api/v1/deployments/llama", '"1"', others.llama]]);
    });
  });
});
