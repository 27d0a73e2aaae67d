import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compilePattern } from "../../src/core/pattern.ts";

const atom = fc.constantFrom(
  "a",
  "b",
  "1",
  "-",
  ".",
  "\\d",
  "\\W",
  "[a1]",
  "[^\\]a]",
  "\\.",
  "\\x61",
  "😀",
  "\\p{L}",
  "^",
  "$",
  "\\b",
  "\\B",
  "é",
);
const quantifier = fc.constantFrom("", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}", "{0}");
const places = new Set(["^", "$", "\\b", "\\B"]);

const { pattern } = fc.letrec<{ pattern: string; row: string; part: string }>((tie) => ({
  pattern: fc.array(tie("row"), { minLength: 1, maxLength: 3 }).map((rows) => rows.join("|")),
  row: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { maxDepth: 2, depthIdentifier: "pattern" },
    fc.tuple(atom, quantifier).map(([one, times]) => (places.has(one) ? one : one + times)),
    fc
      .tuple(fc.constantFrom("(", "(?:"), tie("pattern"), quantifier)
      .map(([open, inner, times]) => `${open}${inner})${times}`),
  ),
}));

const text = fc.string({ unit: fc.constantFrom("a", "b", "1", "-", ".", "\n", "]", "😀", "é"), maxLength: 7 });

test("a pattern takes the same texts as the engine's own regular expressions, anchored", () => {
  fc.assert(
    fc.property(pattern, text, fc.constantFrom("", "(?i)"), (source, value, ignore) => {
      fc.pre(source.length < 60);
      const expected = new RegExp(`^(?:${source})$`, ignore === "" ? "su" : "isu");
      expect(compilePattern(ignore + source).test(value)).toBe(expected.test(value));
    }),
    { numRuns: 500 },
  );
});

test("ignores case when it begins with (?i)", () => {
  expect(compilePattern("(?i)WEB-[a-f]+").test("web-CAFE")).toBe(true);
  expect(compilePattern("WEB").test("web")).toBe(false);
});

test.for([
  ["(a+)+$", `${"a".repeat(1000)}b`],
  ["(a|a)*", `${"a".repeat(1000)}b`],
  ["(a*)*b", "a".repeat(1000)],
  [".*.*.*.*.*.*.*.*.*x", "y".repeat(1000)],
  ["(.*){40}x", "y".repeat(1000)],
] as const)("%s holds nobody up", ([source, value]) => {
  const found = compilePattern(source);
  const began = performance.now();
  expect(found.test(value)).toBe(false);
  // Backtracking would take years.
  expect(performance.now() - began).toBeLessThan(1000);
});
