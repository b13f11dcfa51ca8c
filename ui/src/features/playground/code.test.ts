import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodeInput } from "./code";
import { codeFor, shellQuote } from "./code";
import { answered, asked, makePicture } from "./fixtures";
import { SAMPLING } from "./sampling";

const NASTY = 'it\'s "$HOME" `id` \\n\n描述这张图片';
const INPUT: CodeInput = {
  origin: "http://gpu.example",
  model: "tiny-vlm",
  turns: [asked(NASTY, makePicture("1"), makePicture("2"))],
  sampling: {
    ...SAMPLING,
    system: "Be 'short'.",
    temperature: 0,
    topP: 0.9,
    maxTokens: 64,
    schema: '{"type":"object","additionalProperties":false}',
    specialTokens: true,
  },
};
const FORMAT = {
  type: "json_schema",
  json_schema: { name: "answer", schema: { type: "object", additionalProperties: false }, strict: true },
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
    expect(run("bash", ["-c", script])).toMatchObject({
      model: "tiny-vlm",
      messages: WANTED,
      top_p: 0.9,
      response_format: FORMAT,
    });
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
    expect(run("python3", ["-c", program])).toMatchObject({
      messages: WANTED,
      max_tokens: 64,
      stream: true,
      response_format: FORMAT,
      extra_body: { skip_special_tokens: false },
    });
  });

  it("writes TypeScript that runs", () => {
    const fake = [
      "class OpenAI {",
      "  chat = { completions: { create: (request) => { console.log(JSON.stringify(request)); return []; } } };",
      "}",
    ].join("\n");
    const source = codeFor("typescript", INPUT);
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    const program = ts.transpile(source, options).replace('import OpenAI from "openai";', fake);
    writeFileSync(join(folder, "program.mjs"), program);
    expect(run("node", ["program.mjs"])).toMatchObject({
      messages: WANTED,
      temperature: 0,
      response_format: FORMAT,
      skip_special_tokens: false,
    });
  });

  it("sends the whole conversation, plain text where there is no picture, addresses as they are", () => {
    const remote = makePicture("r", "https://example.com/cat.png");
    const turns = [asked("Hi"), answered("Hello."), asked(NASTY), asked("And this?", remote, makePicture("1"))];
    writeFileSync(join(folder, "picture.png"), "one");
    const script = `curl() { cat; }\n${codeFor("curl", { ...INPUT, turns })}\n`;
    expect(run("bash", ["-c", script])).toMatchObject({
      messages: [
        WANTED[0],
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello." },
        { role: "user", content: NASTY },
        {
          content: [
            { image_url: { url: "https://example.com/cat.png" } },
            { image_url: { url: "data:image/png;base64,b25l" } },
            { text: "And this?" },
          ],
        },
      ],
    });
  });
});

describe("shellQuote", () => {
  it("survives a shell", () => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(NASTY)}`], { encoding: "utf8" })).toBe(NASTY);
  });
});
