import type { Dialect } from "./literals";
import { literal } from "./literals";
import type { ChatRequest } from "./request";
import { buildRequest } from "./request";
import type { Sampling } from "./sampling";
import type { Turn } from "./turns";
import { isRemote } from "./turns";

export const CODE_LANGUAGES = ["curl", "python", "typescript"] as const;
export type CodeLanguage = (typeof CODE_LANGUAGES)[number];

export interface CodeInput {
  origin: string;
  model: string;
  turns: readonly Turn[];
  sampling: Sampling;
}

/** A string inside single quotes of a POSIX shell. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Marks the name of a picture's file until the program is written: a character that nobody types. */
const MARK = "\uE000";
const MARKED = /\uE000(picture(?:-\d+)?\.png)/g;

/** The turns with the names of files in place of pictures. */
function named(turns: readonly Turn[]): Turn[] {
  const own = (turn: Turn) => (turn.role === "user" ? turn.pictures.filter((picture) => !isRemote(picture)) : []);
  const ids = turns.flatMap((turn) => own(turn).map((picture) => picture.id));
  const name = (index: number): string => MARK + (ids.length === 1 ? "picture.png" : `picture-${index + 1}.png`);
  let next = 0;
  return turns.map((turn) => {
    if (turn.role !== "user") return turn;
    const pictures = turn.pictures.map((picture) => (isRemote(picture) ? picture : { ...picture, src: name(next++) }));
    return { ...turn, pictures };
  });
}

function curl({ origin }: CodeInput, request: ChatRequest): string {
  const { stream: _stream, stream_options: _options, ...body } = request;
  // Pictures may exceed what one argument holds, so the body is a here-document on standard input.
  const text = JSON.stringify(body, null, 2)
    .replace(/[\\$`]/g, "\\$&")
    .replace(MARKED, (_, name: string) => `data:image/png;base64,$(base64 < ${name} | tr -d '\\n')`);
  return [
    `curl ${shellQuote(`${origin}/v1/chat/completions`)} \\`,
    `  -H "Authorization: Bearer $AIMINDSERVE_API_KEY" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  --data-binary @- <<EOF`,
    text,
    "EOF",
  ].join("\n");
}

const pictureCall = (text: string): string | null =>
  text.startsWith(MARK) ? `picture(${JSON.stringify(text.slice(MARK.length))})` : null;

const PYTHON: Dialect = {
  indent: "    ",
  words: { true: "True", false: "False", null: "None" },
  key: (name) => JSON.stringify(name),
  call: pictureCall,
};

const TYPESCRIPT: Dialect = {
  indent: "  ",
  words: { true: "true", false: "false", null: "null" },
  key: (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)),
  call: pictureCall,
};

const hasFiles = (request: ChatRequest): boolean => JSON.stringify(request).includes(MARK);

function python({ origin }: CodeInput, request: ChatRequest): string {
  const { skip_special_tokens: special, stream_options: _options, ...known } = request;
  const fields = { ...known, ...(special === false && { extra_body: { skip_special_tokens: false } }) };
  const picture = [
    "",
    "",
    "def picture(path):",
    '    data = base64.b64encode(open(path, "rb").read()).decode()',
    '    return "data:image/png;base64," + data',
    "",
  ];
  return [
    ...(hasFiles(request) ? ["import base64"] : []),
    "import os",
    "",
    "from openai import OpenAI",
    ...(hasFiles(request) ? picture : []),
    "",
    `client = OpenAI(base_url=${JSON.stringify(`${origin}/v1`)}, api_key=os.environ["AIMINDSERVE_API_KEY"])`,
    "stream = client.chat.completions.create(",
    ...Object.entries(fields).map(([name, value]) => `    ${name}=${literal(value, PYTHON, 1)},`),
    ")",
    "for chunk in stream:",
    "    if chunk.choices:",
    '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
  ].join("\n");
}

function typescript({ origin }: CodeInput, request: ChatRequest): string {
  const { stream_options: _options, ...fields } = request;
  const unknown = "  // @ts-expect-error: not part of OpenAI's API";
  return [
    ...(hasFiles(request) ? ['import { readFileSync } from "node:fs";'] : []),
    'import OpenAI from "openai";',
    "",
    ...(hasFiles(request)
      ? ['const picture = (path: string): string => "data:image/png;base64," + readFileSync(path, "base64");', ""]
      : []),
    "const client = new OpenAI({",
    `  baseURL: ${JSON.stringify(`${origin}/v1`)},`,
    "  apiKey: process.env.AIMINDSERVE_API_KEY,",
    "});",
    "const stream = await client.chat.completions.create({",
    ...Object.entries(fields).flatMap(([name, value]) => [
      ...(name === "skip_special_tokens" ? [unknown] : []),
      `  ${name}: ${literal(value, TYPESCRIPT, 1)},`,
    ]),
    "});",
    "for await (const chunk of stream) {",
    '  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");',
    "}",
  ].join("\n");
}

const WRITERS: Record<CodeLanguage, (input: CodeInput, request: ChatRequest) => string> = { curl, python, typescript };

/** A program that asks the same question, ready to paste. The key comes from an environment variable, pictures from
 * files `picture.png` or `picture-1.png`, `picture-2.png` … beside it. */
export function codeFor(language: CodeLanguage, input: CodeInput): string {
  return WRITERS[language](input, buildRequest(input.model, named(input.turns), input.sampling));
}
