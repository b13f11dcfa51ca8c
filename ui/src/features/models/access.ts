import type { KeyView } from "@/api/generated/types.gen";

/** Keys that may ask `model` now, those first that may ask nothing else. */
export function keysFor(model: string, keys: readonly KeyView[], now: number): KeyView[] {
  const usable = keys.filter(
    (key) =>
      !key.disabled &&
      key.scopes.includes("inference") &&
      (key.expires_at === null || key.expires_at > now) &&
      (key.models === null || key.models.includes(model)),
  );
  return usable.sort((a, b) => (a.models?.length ?? Infinity) - (b.models?.length ?? Infinity));
}

export const SNIPPETS = ["curl", "python", "typescript"] as const;
export type Snippet = (typeof SNIPPETS)[number];

interface Call {
  base: string;
  model: string;
  /** The beginning of the key that is meant: `sk-abc-…`. */
  key: string;
  vision: boolean;
  question: string;
}

const PICTURE = "https://example.com/picture.jpg";

function content({ vision, question }: Call): unknown {
  if (!vision) return question;
  return [
    { type: "text", text: question },
    { type: "image_url", image_url: { url: PICTURE } },
  ];
}

/** Code that asks a model one question; the key comes from the environment, never from the text. */
export function snippet(kind: Snippet, call: Call): string {
  const messages = [{ role: "user", content: content(call) }];
  const body = JSON.stringify({ model: call.model, messages }, null, 2);
  if (kind === "curl") {
    return [
      `export AIMINDSERVE_KEY="${call.key}"`,
      `curl ${call.base}/chat/completions \\`,
      `  -H "Authorization: Bearer $AIMINDSERVE_KEY" \\`,
      `  -H "Content-Type: application/json" \\`,
      `  --data-binary @- <<'JSON'`,
      body,
      "JSON",
    ].join("\n");
  }
  const indented = JSON.stringify(messages, null, 4).replaceAll("\n", "\n    ");
  if (kind === "python") {
    return [
      "import os",
      "",
      "from openai import OpenAI  # pip install openai",
      "",
      `client = OpenAI(base_url="${call.base}", api_key=os.environ["AIMINDSERVE_KEY"])`,
      "answer = client.chat.completions.create(",
      `    model=${JSON.stringify(call.model)},`,
      `    messages=${indented},`,
      ")",
      "print(answer.choices[0].message.content)",
    ].join("\n");
  }
  return [
    'import OpenAI from "openai"; // npm install openai',
    "",
    `const client = new OpenAI({ baseURL: "${call.base}", apiKey: process.env.AIMINDSERVE_KEY });`,
    "const answer = await client.chat.completions.create({",
    `  model: ${JSON.stringify(call.model)},`,
    `  messages: ${JSON.stringify(messages, null, 2).replaceAll("\n", "\n  ")},`,
    "});",
    "console.log(answer.choices[0]?.message.content);",
  ].join("\n");
}
