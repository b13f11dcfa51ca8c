import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mockApi } from "./src/mocks/plugin.ts";

const SERVER = process.env.AIMINDSERVE_URL ?? "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => ({
  // A mocked API in `--mode mock`; otherwise requests go to a running aimindserve.
  plugins: [react(), ...(mode === "mock" ? [mockApi()] : [])],
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
