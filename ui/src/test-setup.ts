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

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
