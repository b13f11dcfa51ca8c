/** A label as people write it: `room=lab`. */
export const labelText = (name: string, value: string): string => (value ? `${name}=${value}` : name);

export const labelTexts = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels)
    .map(([name, value]) => labelText(name, value))
    .sort();

const LABEL = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,62})=([A-Za-z0-9._-]{0,63})$/;

/** Labels by name; null where a text is none. */
export function labelsOf(texts: readonly string[]): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = LABEL.exec(text.trim()) ?? [];
    if (name === undefined || value === undefined) return null;
    found[name] = value;
  }
  return found;
}

/** What has to be told so that `before` becomes `after`: null takes a label back. */
export function labelPatch(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string | null> {
  const gone = Object.keys(before).filter((name) => !(name in after));
  const changed = Object.entries(after).filter(([name, value]) => before[name] !== value);
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...Object.fromEntries(changed) };
}
