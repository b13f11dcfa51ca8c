const LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 20;

/** A first password for somebody: 20 letters and digits that cannot be mistaken for each other. */
export function makePassword(): string {
  const picked: string[] = [];
  while (picked.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      // Bytes beyond a multiple of the letters would make the first letters likelier.
      if (byte < 256 - (256 % LETTERS.length) && picked.length < LENGTH)
        picked.push(LETTERS[byte % LETTERS.length] ?? "");
    }
  }
  return picked.join("");
}
