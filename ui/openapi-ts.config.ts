import { defineConfig } from "@hey-api/openapi-ts";

// The client that the page uses: types, one function per operation, and fetch itself. `npm run gen` writes it.
export default defineConfig({
  input: "./openapi.json",
  output: { path: "./src/api/generated", clean: true },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true },
    "@hey-api/typescript",
    { name: "@hey-api/sdk", operations: { strategy: "flat" } },
  ],
});
