import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import "@/i18n";
import { makeDeployment } from "@/mocks/data";
import { makeShort } from "@/mocks/memory";
import { DoctorPanel } from "./DoctorPanel";
import { Evidence } from "./Evidence";
import { SightBadge, SightChecks } from "./SightProof";
import { UnderWay } from "./UnderWay";

const show = (element: ReactElement): HTMLElement =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">{element}</MantineProvider>
    </QueryClientProvider>,
  ).container;

const WEIGHTS = { stage: "weights", seconds: 4, share: null, usual_seconds: 20, seconds_left: 18 };

afterEach(() => {
  vi.useRealTimers();
});

describe("UnderWay", () => {
  it("counts on between two answers of the server", () => {
    vi.useFakeTimers();
    const page = show(<UnderWay what={WEIGHTS} />);
    expect(page.textContent).toContain("for 4 s · usually 20 s · ready in about 18 s");
    act(() => {
      vi.advanceTimersByTime(3000);
    });
    expect(page.textContent).toContain("for 7 s · usually 20 s · ready in about 15 s");
  });

  it("says that it takes longer than usual, and nothing of what is not known", () => {
    expect(show(<UnderWay what={{ ...WEIGHTS, seconds_left: 0 }} />).textContent).toContain("taking longer than usual");
    const first = show(<UnderWay what={{ ...WEIGHTS, usual_seconds: null, seconds_left: null }} />);
    expect(first.textContent).toContain("Loading weights");
    expect(first.textContent).not.toContain("usually");
  });
});

describe("test pictures", () => {
  const check = { kind: "colour" as const, shown: "blue", answer: "a purple elephant", right: false };

  it("tell what was seen instead", () => {
    const page = show(<SightChecks sight={{ outcome: "content_wrong", checks: [check] }} />);
    expect(page.textContent).toContain("A blue square: answered “a purple elephant”");
    expect(page.querySelector("[data-right=false]")).not.toBeNull();
  });

  it("are summed up in a badge", () => {
    show(<SightBadge sight={{ outcome: "content_wrong", checks: [check] }} />);
    expect(screen.getByText("answers, content wrong")).toBeDefined();
  });
});

describe("a failed start", () => {
  it("offers its change beside another try", () => {
    const page = show(<DoctorPanel deployment={makeShort()} />);
    expect(page.querySelector("[data-offer=less]")?.textContent).toContain("--ctx-size=32768");
    expect(screen.getByRole("button", { name: "Apply and try again" })).toBeDefined();
    expect(screen.getByRole("button", { name: "Try again" })).toBeDefined();
  });

  it("is no matter of a deployment that runs", () => {
    expect(show(<DoctorPanel deployment={makeDeployment()} />).querySelector("[data-doctor]")).toBeNull();
  });

  it("shows the lines of the log", () => {
    expect(show(<Evidence lines={["E one", "E two"]} />).querySelector("[data-evidence]")?.textContent).toBe(
      "E one\nE two",
    );
  });
});
