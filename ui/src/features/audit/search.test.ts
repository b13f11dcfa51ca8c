import { expect, test } from "vitest";
import { auditSearch, wishOf } from "./search";

test("an address that is no choice of the page is left out", () => {
  expect(auditSearch({ group: "user", actor: "ada", subject: "", days: 7 })).toEqual({
    group: "user",
    actor: "ada",
    days: 7,
  });
  expect(auditSearch({ group: "comet", actor: 3, days: 8 })).toEqual({});
});

test("the server is asked for what was chosen", () => {
  expect(wishOf({}, 10_000)).toEqual({});
  expect(wishOf({ group: "key", subject: "abc", days: 1 }, 90_100)).toEqual({
    kind: "key.",
    subject: "abc",
    since: 3600,
  });
});
