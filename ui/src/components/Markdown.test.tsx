import { MantineProvider } from "@mantine/core";
import { render, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import "@/i18n";
import { Markdown } from "./Markdown";

function show(text: string, base?: string, math = false): HTMLElement {
  return render(
    <MantineProvider env="test">
      <Markdown text={text} math={math} {...(base && { base, withoutHtml: true })} />
    </MantineProvider>,
  ).container;
}

describe("Markdown", () => {
  it("renders lists, tables and code", () => {
    const page = show("- one\n- two\n\n| a |\n|---|\n| b |\n\n```\ncode\n```");
    expect(page.querySelectorAll("li")).toHaveLength(2);
    expect(page.querySelector("td")?.textContent).toBe("b");
    expect(page.querySelector("pre")?.textContent).toBe("code\n");
  });

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
  ])("shows HTML as text: %s", (html) => {
    const page = show(html);
    expect(page.querySelector("script, img, svg, iframe, a")).toBeNull();
    expect(page.textContent).toContain("alert(1)");
  });

  it.each(["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "JaVaScRiPt:alert(1)"])(
    "makes no link to %s",
    (target) => {
      const page = show(`[x](${target})`);
      expect(page.querySelector("a")).toBeNull();
      expect(page.querySelector("p")?.textContent).toBe("x");
    },
  );

  it("never loads a picture", () => {
    const page = show("![secret](https://example.com/?q=what-was-asked)");
    expect(page.querySelector("img")).toBeNull();
    expect(page.innerHTML).not.toContain("example.com");
    expect(page.textContent).toContain("secret");
  });

  it("opens links without telling where they come from", () => {
    const link = show("[site](https://example.com)").querySelector("a");
    expect(link?.getAttribute("rel")).toContain("noreferrer");
    expect(link?.getAttribute("target")).toBe("_blank");
  });

  it("leaves HTML out of a README and leads its links to the hub", () => {
    const base = "https://hub.example/org/repo/blob/main/";
    const page = show("<p align=center>big</p>\n\nText [licence](LICENSE) [x](javascript:alert(1))", base);
    expect(page.textContent).not.toContain("align");
    const targets = [...page.querySelectorAll("a")].map((link) => link.getAttribute("href"));
    expect(targets).toEqual([`${base}LICENSE`]);
  });

  it("draws formulas on request, node by node", async () => {
    const page = show("Area $a^2$:\n\n\\[\\frac{1}{2}\\]\n\n$5 and $10", undefined, true);
    await waitFor(() => {
      expect(page.querySelectorAll("[data-formula] .katex")).toHaveLength(2);
    });
    expect(page.querySelector(".katex-display")).not.toBeNull();
    expect(page.textContent).toContain("$5 and $10");
    expect(show("Area $a^2$").querySelector("[data-formula]")).toBeNull();
  });

  it("lets a formula neither link nor load anything", async () => {
    const page = show(
      "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://example.com/x.png}$",
      undefined,
      true,
    );
    await waitFor(() => {
      expect(page.querySelectorAll(".katex, .katex-error")).toHaveLength(2);
    });
    expect(page.querySelector("a, img")).toBeNull();
  });
});
