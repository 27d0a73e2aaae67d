import { expect, test } from "vitest";
import { hasRole, roles } from "../../src/core/roles.ts";

test("each role may do what the lesser ones may, and no more", () => {
  const table = roles.map((role) => roles.map((needed) => hasRole(role, needed)));
  expect(roles).toEqual(["viewer", "operator", "admin"]);
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});
