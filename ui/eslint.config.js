import { readdirSync } from "node:fs";
import js from "@eslint/js";
import query from "@tanstack/eslint-plugin-query";
import { defineConfig, globalIgnores } from "eslint/config";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

/** Features never import each other; `lib`, `components` and `api` import no feature. */
const layers = (folders) =>
  folders.map((folder) => ({
    files: [`src/features/${folder}/**/*.{ts,tsx}`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: `^@/features/(?!${folder}(/|$))`, message: "A feature imports no other feature." }] },
      ],
    },
  }));

const FEATURES = readdirSync(new URL("./src/features", import.meta.url));

export default defineConfig([
  globalIgnores(["public", "src/api/generated", "node_modules", "coverage"]),
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  hooks.configs.flat.recommended,
  ...query.configs["flat/recommended"],
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", { max: 250 }],
      "max-lines-per-function": ["error", { max: 120, skipBlankLines: true }],
      complexity: ["error", 12],
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-globals": ["error", "alert", "confirm", "prompt"],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text from models, logs and users is never HTML.",
        },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
    },
  },
  ...layers(FEATURES),
  {
    files: ["src/lib/**", "src/components/**", "src/api/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["@/features/*"], message: "Shared code imports no feature." }] },
      ],
    },
  },
  { files: ["eslint.config.js"], ...ts.configs.disableTypeChecked },
]);
