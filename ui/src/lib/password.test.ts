import { expect, test } from "vitest";
import { makePassword } from "./password";

test("passwords are long, plain and never the same", () => {
  const made = new Set(Array.from({ length: 200 }, makePassword));
  expect(made.size).toBe(200);
  for (const password of made) expect(password).toMatch(/^[a-km-zA-HJ-NP-Z2-9]{20}$/);
});
