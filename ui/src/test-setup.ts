import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

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

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
