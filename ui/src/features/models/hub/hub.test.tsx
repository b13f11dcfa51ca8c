import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactElement } from "react";
import { describe, expect, it, vi } from "vitest";
import type { ChoiceView } from "@/api/generated/types.gen";
import type { HubWish } from "@/api/hub";
import { i18next } from "@/i18n";
import { hubFiles } from "@/mocks/hubData";
import { ChoiceList } from "./ChoiceList";
import { CodeApproval } from "./CodeApproval";
import { ProjectorSelect } from "./ProjectorSelect";
import { SearchFields } from "./SearchFields";

const FILES = hubFiles("bartowski/Qwen2-VL-2B-Instruct-GGUF", false);

function show(element: ReactElement): HTMLElement {
  const queries = new QueryClient();
  return render(
    <QueryClientProvider client={queries}>
      <MantineProvider env="test">{element}</MantineProvider>
    </QueryClientProvider>,
  ).container;
}

describe("ChoiceList", () => {
  it("names each choice with its size and why it cannot be had", () => {
    const chosen: ChoiceView[] = [];
    show(<ChoiceList choices={FILES.choices} chosen={FILES.choices[2]} onChoose={(choice) => chosen.push(choice)} />);
    expect(screen.getByRole("radio", { name: "Q4_K_M" })).toHaveProperty("checked", true);
    expect(screen.getByRole("radio", { name: "Q2_K" })).toHaveProperty("disabled", true);
    expect(document.querySelector("[data-choice=Q2_K]")?.textContent).toContain("Choose another quantization.");
    expect(document.querySelector("[data-choice=Q8_0]")?.textContent).toContain("2.8 GiB");
    fireEvent.click(screen.getByRole("radio", { name: "Q8_0" }));
    expect(chosen.map((choice) => choice.quantization)).toEqual(["Q8_0"]);
  });
});

describe("ProjectorSelect", () => {
  const [choice] = FILES.choices;

  it("shows the one that was matched and offers the others and none", () => {
    if (!choice) throw new Error("no choice");
    const picked: (string | null)[] = [];
    show(<ProjectorSelect choice={choice} picked={null} onPick={(projector) => picked.push(projector)} />);
    const box = screen.getByRole("combobox", { name: "Projector" });
    expect(box).toHaveProperty("value", "mmproj-Qwen2-VL-2B-Instruct-f16.gguf (matched)");
    fireEvent.click(box);
    const options = screen.getAllByRole("option", { hidden: true });
    expect(options).toHaveLength(3);
    fireEvent.click(options[2] ?? box);
    expect(picked).toEqual(["none"]);
  });

  it("says text only where no projector was matched", () => {
    if (!choice) throw new Error("no choice");
    show(<ProjectorSelect choice={{ ...choice, projector: null }} picked={null} onPick={vi.fn()} />);
    expect(screen.getByRole("combobox")).toHaveProperty("value", "None: text only");
  });

  it("is not there for models without one", () => {
    if (!choice) throw new Error("no choice");
    show(<ProjectorSelect choice={{ ...choice, projector: null, projectors: [] }} picked={null} onPick={vi.fn()} />);
    expect(screen.queryByRole("combobox")).toBeNull();
  });
});

describe("CodeApproval", () => {
  const files = hubFiles("microsoft/Phi-3.5-vision-instruct", false);

  it("names files, commit and publisher, and asks for the tick first", async () => {
    const sent: unknown[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      if (request.method === "GET") return Response.json({ ...files, code_approved: true });
      sent.push([new URL(request.url).pathname, await request.json()]);
      return Response.json({}, { status: 201 });
    });
    const page = show(<CodeApproval files={files} />);
    for (const part of [...files.code_files, files.revision, "microsoft"]) expect(page.textContent).toContain(part);
    const allow = screen.getByRole("button", { name: "Allow this code" });
    expect(allow).toHaveProperty("disabled", true);
    fireEvent.click(screen.getByRole("checkbox"));
    fireEvent.click(allow);
    await waitFor(() => {
      expect(sent).toHaveLength(1);
    });
    const { hub, repository, revision } = files;
    expect(sent).toEqual([["/api/v1/hub/approvals", { hub, repository, revision }]]);
  });

  it("says so once it is allowed", () => {
    const page = show(<CodeApproval files={{ ...files, code_approved: true }} />);
    expect(page.textContent).toContain("may run");
    expect(screen.queryByRole("checkbox")).toBeNull();
  });
});

describe("SearchFields", () => {
  const wish: HubWish = { hub: "hf", q: "", gguf: false, vision: false, size: undefined, sort: "downloads" };

  it("asks once for words that are typed quickly, and at once on Enter", async () => {
    const asked: Partial<HubWish>[] = [];
    show(<SearchFields wish={wish} busy={false} onChange={(change) => asked.push(change)} />);
    const box = screen.getByRole("searchbox", { name: "Search Hugging Face" });
    for (const value of ["q", "qw", "qwen"]) fireEvent.change(box, { target: { value } });
    expect(asked).toEqual([]);
    await waitFor(() => {
      expect(asked).toEqual([{ q: "qwen" }]);
    });
    fireEvent.change(box, { target: { value: "qwen2" } });
    fireEvent.keyDown(box, { key: "Enter" });
    expect(asked).toEqual([{ q: "qwen" }, { q: "qwen2" }]);
  });

  it("asks for what was typed before the next click, not after it", () => {
    const asked: Partial<HubWish>[] = [];
    show(<SearchFields wish={wish} busy={false} onChange={(change) => asked.push(change)} />);
    const box = screen.getByRole("searchbox", { name: "Search Hugging Face" });
    fireEvent.change(box, { target: { value: "qwen" } });
    fireEvent.blur(box);
    expect(asked).toEqual([{ q: "qwen" }]);
    fireEvent.blur(box);
    expect(asked).toHaveLength(1);
  });

  it("calls the check box what the guide calls it, in both languages", async () => {
    const asked: Partial<HubWish>[] = [];
    await i18next.changeLanguage("zh-CN");
    show(<SearchFields wish={wish} busy={false} onChange={(change) => asked.push(change)} />);
    fireEvent.click(screen.getByRole("checkbox", { name: "GGUF" }));
    expect(asked).toEqual([{ gguf: true }]);
    await i18next.changeLanguage("en");
  });
});
