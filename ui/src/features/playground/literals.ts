/** What a value is written as in a program. A string that `call` knows becomes the code that it answers. */
export interface Dialect {
  indent: string;
  words: { true: string; false: string; null: string };
  key: (name: string) => string;
  call: (text: string) => string | null;
}

/** Objects and lists that fit into this many characters stand on one line. */
const LINE = 90;

/** The items of a list, or the fields of an object, written one by one. */
function items(value: object, dialect: Dialect, depth: number): string[] {
  if (Array.isArray(value)) return value.map((item) => literal(item, dialect, depth));
  return Object.entries(value).map(([name, item]) => `${dialect.key(name)}: ${literal(item, dialect, depth)}`);
}

function bracketed(value: object, dialect: Dialect, depth: number): string {
  const [open, close, gap] = Array.isArray(value) ? ["[", "]", ""] : ["{", "}", " "];
  const line = items(value, dialect, depth).join(", ");
  if (line === "") return open + close;
  if (line.length <= LINE && !line.includes("\n")) return open + gap + line + gap + close;
  const pad = dialect.indent.repeat(depth + 1);
  const lines = items(value, dialect, depth + 1).map((item) => `${pad}${item},`);
  return [open, ...lines, `${dialect.indent.repeat(depth)}${close}`].join("\n");
}

/** A JSON value as source code; the first line is not indented. */
export function literal(value: unknown, dialect: Dialect, depth = 0): string {
  if (typeof value === "string") return dialect.call(value) ?? JSON.stringify(value);
  if (typeof value === "boolean") return value ? dialect.words.true : dialect.words.false;
  if (value === null || value === undefined) return dialect.words.null;
  return typeof value === "object" ? bracketed(value, dialect, depth) : JSON.stringify(value);
}
