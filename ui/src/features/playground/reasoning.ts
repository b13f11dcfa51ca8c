/** An answer with its thoughts apart. `open`: it is still thinking. */
export interface Thought {
  reasoning: string;
  answer: string;
  open: boolean;
}

/** Splits off a thought at the beginning: `<think>…</think>` (DeepSeek-R1, Qwen3), Kimi's `◁think▷…◁/think▷`. Where the
 * template opened the thought, the answer has the closing tag alone. */
export function splitThought(text: string): Thought {
  const opened = /^\s*(?:<think(?:ing)?>|◁think▷)/.exec(text);
  const rest = opened ? text.slice(opened[0].length) : text;
  const closed = /<\/think(?:ing)?>|◁\/think▷/.exec(rest);
  if (closed) {
    const reasoning = rest.slice(0, closed.index).trim();
    return { reasoning, answer: rest.slice(closed.index + closed[0].length).trimStart(), open: false };
  }
  return opened ? { reasoning: rest.trim(), answer: "", open: true } : { reasoning: "", answer: text, open: false };
}
