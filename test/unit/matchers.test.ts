import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMatcher, type Matcher, matchesAll, parseMatcher } from "../../src/core/matchers.ts";

const labels = { job: "web", instance: "db-1:9100", env: "prod", empty: "" };
const matches = (...texts: string[]): boolean => {
  const matchers = texts.map((text) => parseMatcher(text));
  expect(matchers.every((matcher) => typeof matcher === "object")).toBe(true);
  return matchesAll(matchers as Matcher[], labels);
};

describe("a matcher", () => {
  test.for([
    ["job=web", true],
    ['job="web"', true],
    [" job = web ", true],
    ["job=we", false],
    ["job!=web", false],
    ["job!=db", true],
    ["instance=~db-.*", true],
    ['instance=~"db-\\d:9100|x"', true],
    ["instance=~db", false],
    ["instance=~b-1", false],
    ["instance!~db-.*", false],
    ["instance!~web-.*", true],
    ["absent=", true],
    ["absent!=x", true],
    ["absent=~.+", false],
    ["empty=", true],
    ["toString=", true],
    ["job='web'", true],
    ['"job"=web', true],
    ["имя!=x", true],
    ["app.kubernetes.io/name=", true],
    ["instance=~db-[0-9]{1,2}:9100", true],
  ] as const)("%s holds: %s", ([text, holds]) => {
    expect(matches(text)).toBe(holds);
  });

  test("is one condition of several that all have to hold", () => {
    expect(matches("job=web", "env=prod")).toBe(true);
    expect(matches("job=web", "env=test")).toBe(false);
  });

  test.for([
    "",
    "job",
    "=web",
    "job=web extra",
    'job="web',
    "1job=web",
    "job==web x",
    "job==web",
    "job=web,db",
    "job=~web,db",
    '""=x',
    "job=it's",
  ])("is not: %j", (text) => {
    expect(parseMatcher(text)).toBe("form");
  });

  test.for([
    "job=~(",
    "job!~[",
    "job=~a)|(b",
    `job=~${"a".repeat(201)}`,
    "job=~(a)\\1",
    "job=~(?<x>a)\\k<x>",
    "job=~(?=web).*",
    "job=~.*(?<!web)",
    "job=~((a{10}){10}){10}",
  ])("has no pattern: %s", (text) => {
    expect(parseMatcher(text)).toBe("pattern");
  });

  test("reads back as it was written, whatever the value", () => {
    const matcher = fc.record({
      label: fc.oneof(
        fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_./-]{0,8}$/),
        fc.string({ unit: "grapheme", minLength: 1 }),
      ),
      operator: fc.constantFrom("=" as const, "!=" as const),
      value: fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom('"', "\\", " ", "a b", "~x", "=x", "\n")),
    });
    fc.assert(
      fc.property(matcher, (written) => {
        expect(parseMatcher(formatMatcher(written))).toEqual(written);
      }),
    );
  });
});
