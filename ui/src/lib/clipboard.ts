/** Copies by a hidden field: the way that also works at http://server-ip, where browsers offer no clipboard API. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  // Inside an open dialog, so that its focus trap lets the field be selected.
  const home = document.activeElement?.closest("[role=dialog]") ?? document.body;
  home.append(field);
  field.select();
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without https
    return document.execCommand("copy");
  } finally {
    field.remove();
  }
}

/** Whether `text` is in the clipboard now. */
export async function copyText(text: string): Promise<boolean> {
  const clipboard = (navigator as { clipboard?: Clipboard }).clipboard;
  if (!clipboard) return copyBySelection(text);
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}
