/** A flag by its name and its other spellings. */
export interface Flag {
  flag: string;
  names: readonly string[];
}

const dashes = (word: string): string => (word.startsWith("--") ? word.replaceAll("_", "-") : word);

/** The flag of an argument and the value that is written with it: `--flag=value`, `--flag value`, `--flag`. */
function split(argument: string): { flag: string; value: string | null } {
  const text = argument.trim();
  const cut = text.startsWith("-") ? text.search(/[= ]/) : -1;
  const word = dashes(cut < 0 ? text : text.slice(0, cut));
  // vLLM takes a part of an object as `--flag.part`.
  const flag = word.startsWith("--") ? (word.split(".", 1)[0] ?? word) : word;
  return { flag, value: cut < 0 ? null : text.slice(cut + 1).trim() };
}

const isValue = (argument: string | undefined): argument is string =>
  argument !== undefined && argument.trim() !== "" && (!argument.startsWith("-") || !Number.isNaN(Number(argument)));

interface Place {
  at: number;
  /** One argument, or two where the value is one of its own. */
  length: 1 | 2;
  value: string | null;
}

function places(given: readonly string[], { flag, names }: Flag): Place[] {
  return given.flatMap((argument, at): Place[] => {
    const found = split(argument);
    if (found.flag !== flag && !names.includes(found.flag)) return [];
    const next = given[at + 1];
    if (found.value === null && isValue(next)) return [{ at, length: 2, value: next.trim() }];
    return [{ at, length: 1, value: found.value }];
  });
}

/** The value that a person gave (null: a switch); undefined where none was. Engines take the last one. */
export const valueOf = (given: readonly string[], flag: Flag): string | null | undefined =>
  places(given, flag).at(-1)?.value;

/** The arguments without a flag, however it was spelt. */
export function without(given: readonly string[], flag: Flag): string[] {
  const gone = new Set(places(given, flag).flatMap(({ at, length }) => (length === 2 ? [at, at + 1] : [at])));
  return given.filter((_, at) => !gone.has(at));
}

/** The arguments with a value for a flag, in the place of what was said of it before. */
export function withValue(given: readonly string[], flag: Flag, value: string): string[] {
  const first = places(given, flag)[0]?.at ?? given.length;
  const before = without(given.slice(0, first), flag);
  return [...before, `${flag.flag}=${value}`, ...without(given.slice(first), flag)];
}
