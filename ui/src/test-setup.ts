import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// Waiting is for conditions: on a busy machine they take their time.
configure({ asyncUtilTimeout: 20_000 });

// What happy-dom lacks and Mantine asks for.
window.matchMedia = (query: string) => {
  const list: Partial<MediaQueryList> = {
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  };
  return list as MediaQueryList;
};

// The page itself is in standards mode, as KaTeX wants it.
Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
