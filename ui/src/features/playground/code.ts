import type { Sampling } from "./chat";

export const CODE_LANGUAGES = ["curl", "python", "javascript"] as const;
export type CodeLanguage = (typeof CODE_LANGUAGES)[number];

export interface CodeInput {
  origin: string;
  model: string;
  prompt: string;
  pictures: number;
  sampling: Sampling;
}

/** A string as a literal that Python and JavaScript read alike (JSON's escapes are valid in both). */
const literal = (text: string): string => JSON.stringify(text);

/** A string inside single quotes of a POSIX shell. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const pictureNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => (count === 1 ? "picture.png" : `picture-${index + 1}.png`));

function curl(input: CodeInput): string {
  const names = pictureNames(input.pictures);
  const marker = (index: number): string => `@@PICTURE${index}@@`;
  const body = {
    model: input.model,
    messages: messages(
      input,
      names.map((_, index) => marker(index)),
    ),
    temperature: input.sampling.temperature,
    top_p: input.sampling.topP,
    max_tokens: input.sampling.maxTokens,
  };
  // Pictures may exceed what one argument holds, so the body is a here-document on standard input.
  let text = JSON.stringify(body, null, 2).replace(/[\\$`]/g, "\\$&");
  names.forEach((name, index) => {
    text = text.replace(marker(index), () => `data:image/png;base64,$(base64 < ${name} | tr -d '\\n')`);
  });
  return [
    `curl ${shellQuote(`${input.origin}/v1/chat/completions`)} \\`,
    `  -H "Authorization: Bearer $AIMINDSERVE_API_KEY" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  --data-binary @- <<EOF`,
    text,
    "EOF",
  ].join("\n");
}

function messages(input: CodeInput, urls: string[]): unknown[] {
  const system = input.sampling.system.trim();
  const parts = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  const content = parts.length ? [...parts, { type: "text", text: input.prompt }] : input.prompt;
  return [...(system ? [{ role: "system", content: system }] : []), { role: "user", content }];
}

/** The messages as source code, indented by `pad` twice; `key` writes an object's key. */
function messageLines(input: CodeInput, pad: string, key: (name: string) => string): string[] {
  const url = (name: string): string => `picture("${name}")`;
  const system = input.sampling.system.trim();
  const names = pictureNames(input.pictures);
  const object = (fields: [string, string][]): string =>
    `{ ${fields.map(([name, value]) => `${key(name)}: ${value}`).join(", ")} }`;
  const image = (name: string): string =>
    object([
      ["type", '"image_url"'],
      ["image_url", object([["url", url(name)]])],
    ]);
  const text = object([
    ["type", '"text"'],
    ["text", literal(input.prompt)],
  ]);
  const lines = system
    ? [
        `${pad}${pad}${object([
          ["role", '"system"'],
          ["content", literal(system)],
        ])},`,
      ]
    : [];
  if (names.length === 0) {
    return [
      ...lines,
      `${pad}${pad}${object([
        ["role", '"user"'],
        ["content", literal(input.prompt)],
      ])},`,
    ];
  }
  const content = [...names.map(image), text].map((part) => `${pad}${pad}${pad}${part},`);
  return [...lines, `${pad}${pad}{ ${key("role")}: "user", ${key("content")}: [`, ...content, `${pad}${pad}] },`];
}

function python(input: CodeInput): string {
  const { temperature, topP, maxTokens } = input.sampling;
  const picture = [
    "",
    "",
    "def picture(path):",
    '    data = base64.b64encode(open(path, "rb").read()).decode()',
    '    return "data:image/png;base64," + data',
    "",
  ];
  return [
    ...(input.pictures ? ["import base64"] : []),
    "import os",
    "",
    "from openai import OpenAI",
    ...(input.pictures ? picture : []),
    "",
    `client = OpenAI(base_url=${literal(`${input.origin}/v1`)}, api_key=os.environ["AIMINDSERVE_API_KEY"])`,
    "stream = client.chat.completions.create(",
    `    model=${literal(input.model)},`,
    "    messages=[",
    ...messageLines(input, "    ", (name) => `"${name}"`),
    "    ],",
    `    temperature=${temperature},`,
    `    top_p=${topP},`,
    `    max_tokens=${maxTokens},`,
    "    stream=True,",
    ")",
    "for chunk in stream:",
    "    if chunk.choices:",
    '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
  ].join("\n");
}

function javascript(input: CodeInput): string {
  const { temperature, topP, maxTokens } = input.sampling;
  return [
    ...(input.pictures ? ['import { readFileSync } from "node:fs";'] : []),
    'import OpenAI from "openai";',
    "",
    ...(input.pictures
      ? ['const picture = (path) => "data:image/png;base64," + readFileSync(path, "base64");', ""]
      : []),
    "const client = new OpenAI({",
    `  baseURL: ${literal(`${input.origin}/v1`)},`,
    "  apiKey: process.env.AIMINDSERVE_API_KEY,",
    "});",
    "const stream = await client.chat.completions.create({",
    `  model: ${literal(input.model)},`,
    "  messages: [",
    ...messageLines(input, "  ", (name) => name),
    "    ],",
    `  temperature: ${temperature},`,
    `  top_p: ${topP},`,
    `  max_tokens: ${maxTokens},`,
    "  stream: true,",
    "});",
    "for await (const chunk of stream) {",
    '  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");',
    "}",
  ].join("\n");
}

const WRITERS: Record<CodeLanguage, (input: CodeInput) => string> = { curl, python, javascript };

/** A program that asks the same question, ready to paste. The key comes from an environment variable. */
export function codeFor(language: CodeLanguage, input: CodeInput): string {
  return WRITERS[language](input);
}
