import { expect, test } from "vitest";
import { parseRule } from "../../src/core/rule.ts";
import { pointAt, readRule } from "../../src/core/rule-check.ts";
import { messagesOf } from "../../src/messages/index.ts";

const times = { every: 300_000, raw: 7 * 86_400_000 };

/** "field column: sentence"; empty when nothing is wrong. */
function problemOf(when: string, clear?: string, by = times): string {
  const read = readRule({ when, clear }, by);
  if (!("problem" in read)) return "";
  return `${read.field} ${read.column}: ${messagesOf("en").plain(read.problem.key, read.problem.args)}`;
}

test.for([
  ["cpu > 90", "cpu < 80"],
  ["cpu > 90", "cpu <= 90"],
  ["cpu > 90", "not cpu > 90"],
  ["cpu > 90", "cpu < 80 and load < 2"],
  ["cpu > 90", "avg(cpu, 30m) < 80"],
  ["cpu > 90 and memory > 90", "cpu < 80 or memory < 80"],
  // One of them has calmed down, and the other one can keep it up.
  ["cpu > 90 or memory > 90", "cpu < 80"],
  ["cpu >= 100", undefined],
  ["disk_free < 10 GB", "disk_free > 20 GB"],
  ["full_in(disk, 6h) < 24h", "full_in(disk, 6h) > 48h"],
  ["change(disk, 1d) < -10", "change(disk, 1d) > -5"],
  ["rate(disk_free, 6h) < -1 GB/h", "rate(disk_free, 6h) >= 0"],
  ["avg(cpu, 30m) > avg(cpu, 1d)", undefined],
  ["avg(cpu, 10m) > 50", undefined],
] as const)("a rule may fire at %j and clear at %j", ([when, clear]) => {
  expect(problemOf(when, clear)).toBe("");
});

test.for([
  ["cpu > 90 or", "cpu < 80", "when 12: the condition ends too early"],
  ["cpu > 90", "cpu < eighty", "clear 7: there is no metric eighty"],
  ["cpu > 100", undefined, "when 1: this can never hold."],
  ["cpu < 0", undefined, "when 1: this can never hold."],
  ["cpu > 90 and cpu < 80", undefined, "when 1: this can never hold."],
  ["change(cpu, 1h) > 100", undefined, "when 1: this can never hold."],
  ["disk_free < 0", undefined, "when 1: this can never hold."],
  ["cpu >= 0", undefined, "when 1: this always holds."],
  ["cpu > 50 or cpu < 60", undefined, "when 1: this always holds."],
  ["cpu > 90", "cpu > 95", "clear 1: what fires could never clear"],
  ["cpu > 90", "cpu > 90", "clear 1: what fires could never clear"],
  ["cpu > 90", "cpu < 0", "clear 1: what fires could never clear"],
  ["cpu > 90", "cpu < 95", "clear 1: this also holds where `when` does."],
  ["cpu >= 90", "cpu <= 90", "clear 1: this also holds where `when` does."],
  ["90 < cpu", "95 > cpu", "clear 1: this also holds where `when` does."],
  ["rate(cpu, 10m) > 5", undefined, "when 1: rate needs more readings: look back at least 20m"],
  ["full_in(disk, 19m) < 1d", undefined, "when 1: full_in needs more readings: look back at least 20m"],
  ["load > 1 or max(cpu, 1m) > 5", undefined, "when 13: max needs more readings: look back at least 5m"],
] as const)("%j, clear %j is refused: %s", ([when, clear, problem]) => {
  expect(problemOf(when, clear)).toContain(problem);
});

test("a rule looks back no further than single readings are kept", () => {
  const kept = { every: 300_000, raw: 2 * 86_400_000 };
  expect(problemOf("full_in(disk, 48h) < 1d", undefined, kept)).toBe("");
  expect(problemOf("full_in(disk, 3d) < 1d", undefined, kept)).toContain("when 1: single readings are kept for 48h");
});

test("a rule with very many cases is not looked through", () => {
  const all = ["cpu", "memory", "swap", "disk", "inodes"];
  const when = all.map((name) => [1, 2, 3, 4, 5].map((value) => `${name} > ${value}`).join(" or ")).join(" and ");
  expect(problemOf(when)).toBe("");
});

test.for([
  ["cpu > mem", "    cpu > mem\n          ^"],
  ["cpu >", "    cpu >\n         ^"],
  ["", "    \n    ^"],
  ["cpu > 90 and\n  mem > 5 and\n disk > 5", "      mem > 5 and\n      ^"],
  ["\tcpu > mem", "    \tcpu > mem\n    \t      ^"],
] as const)("the place of what is wrong with %j is pointed at", ([text, shown]) => {
  const parsed = parseRule(text);
  expect("problem" in parsed && pointAt(text, parsed.column)).toBe(shown);
});
