import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { mockApi } from "./src/mocks/plugin.ts";

const SERVER = process.env.AIMINDSERVE_URL ?? "http://127.0.0.1:8080";

/** Every browser that runs this page reads WOFF2; KaTeX's other copies of its fonts would only fill the disk. */
const smallFonts: Plugin = {
  name: "small-fonts",
  enforce: "pre",
  transform: (code, id) =>
    id.includes("katex") && id.includes(".css")
      ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "")
      : null,
};

export default defineConfig(({ mode }) => ({
  // A mocked API in `--mode mock`; otherwise requests go to a running aimindserve.
  plugins: [react(), smallFonts, ...(mode === "mock" ? [mockApi()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: mode === "mock" ? {} : { proxy: { "/api": SERVER, "/v1": SERVER } },
  build: {
    outDir: "../src/aimindserve/ui_dist",
    emptyOutDir: true,
    // The page is served under `default-src 'self'`: nothing is inlined into data: URIs or into the HTML.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
    setupFiles: ["src/test-setup.ts"],
    testTimeout: 60_000,
  },
}));
