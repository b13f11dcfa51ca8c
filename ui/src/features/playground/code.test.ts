import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodeInput } from "./code";
import { codeFor, shellQuote } from "./code";

const NASTY = 'it\'s "$HOME" `id` \\n\n描述这张图片';
const INPUT: CodeInput = {
  origin: "http://gpu.example",
  model: "tiny-vlm",
  prompt: NASTY,
  pictures: 2,
  sampling: { system: "Be 'short'.", temperature: 0, topP: 0.9, maxTokens: 64 },
};
const WANTED = [
  { role: "system", content: "Be 'short'." },
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: "data:image/png;base64,b25l" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,dHdv" } },
      { type: "text", text: NASTY },
    ],
  },
];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "code-view-"));
  writeFileSync(join(folder, "picture-1.png"), "one");
  writeFileSync(join(folder, "picture-2.png"), "two");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Replaces the two packages' clients by one line that prints the request, and runs the program. */
function run(command: string, args: string[]): unknown {
  const env = { ...process.env, AIMINDSERVE_API_KEY: "sk-test" };
  return JSON.parse(execFileSync(command, args, { cwd: folder, encoding: "utf8", env }));
}

describe("codeFor", () => {
  it("writes a curl command that a shell sends as meant", () => {
    const script = `curl() { cat; }\n${codeFor("curl", INPUT)}\n`;
    expect(run("bash", ["-c", script])).toMatchObject({ model: "tiny-vlm", messages: WANTED, top_p: 0.9 });
  });

  it("writes Python that runs", () => {
    const fake = [
      "import sys, types, json",
      "class Any:",
      "    def __init__(self, **_): self.chat = self.completions = self",
      "    def create(self, **request): print(json.dumps(request)); return []",
      "module = types.ModuleType('openai'); module.OpenAI = Any; sys.modules['openai'] = module",
    ].join("\n");
    const program = `${fake}\n${codeFor("python", INPUT)}\n`;
    expect(run("python3", ["-c", program])).toMatchObject({ messages: WANTED, max_tokens: 64, stream: true });
  });

  it("writes JavaScript that runs", () => {
    const fake = [
      "class OpenAI {",
      "  chat = { completions: { create: (request) => { console.log(JSON.stringify(request)); return []; } } };",
      "}",
    ].join("\n");
    const program = codeFor("javascript", INPUT).replace('import OpenAI from "openai";', fake);
    writeFileSync(join(folder, "program.mjs"), program);
    expect(run("node", ["program.mjs"])).toMatchObject({ messages: WANTED, temperature: 0 });
  });

  it("sends plain text where there is no picture", () => {
    const script = `curl() { cat; }\n${codeFor("curl", { ...INPUT, pictures: 0 })}\n`;
    expect(run("bash", ["-c", script])).toMatchObject({ messages: [WANTED[0], { role: "user", content: NASTY }] });
  });
});

describe("shellQuote", () => {
  it("survives a shell", () => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(NASTY)}`], { encoding: "utf8" })).toBe(NASTY);
  });
});
