import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { rulesSchema } from "../../src/app/config/rules.ts";
import { metricNames } from "../../src/core/metric.ts";
import { parseRule } from "../../src/core/rule.ts";
import { ruleFunctions } from "../../src/core/rule-ast.ts";
import { pointAt, readRule } from "../../src/core/rule-check.ts";
import { messagesOf } from "../../src/messages/index.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/rules.md"), "utf8");
const times = { every: 300_000, raw: 7 * 86_400_000 };

/** Rows of the tables that begin with "Examples": the condition. */
const examples = text.split(/\n\n/).flatMap((block) => {
  const [head, , ...rows] = block.split("\n");
  return head?.startsWith("| Examples") ? rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? row) : [];
});

test.for(examples)("the example %s can be used", (when) => {
  expect(readRule({ when }, times)).toHaveProperty("when");
});

test("there is an example of every function, and they are the only ones in their table", () => {
  expect(examples.length).toBeGreaterThan(14);
  expect(ruleFunctions.filter((name) => !examples.some((when) => when.includes(`${name}(`)))).toEqual([]);
  const table = /\| Function \|[\s\S]*?\n\n/.exec(text)?.[0] ?? "";
  const named = [...table.matchAll(/`([a-z_]+)\(([a-z_]+), /g)];
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set(ruleFunctions));
  expect(named.every(([, , metric = ""]) => (metricNames as readonly string[]).includes(metric))).toBe(true);
});

test("the configuration at its beginning can be used", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
  const rules = rulesSchema.parse(parse(yaml).rules);
  expect(rules).toHaveLength(3);
  for (const rule of rules) expect(readRule(rule, times)).toHaveProperty("when");
});

test("the problem is shown as it is", () => {
  const [, line = "", shown = ""] = /```\nvakhta.yaml:[\d:]+ rules\[0\]\.when: (.*)\n([^`]*)\n```/.exec(text) ?? [];
  const condition = shown.split("\n", 1)[0]?.trim() ?? "";
  const read = parseRule(condition);
  const problem = "problem" in read ? read : { problem: { key: "rule-nothing" }, column: 0 };
  expect(messagesOf("en").plain(problem.problem.key, problem.problem.args)).toBe(line);
  expect(pointAt(condition, problem.column)).toBe(shown);
});

test.for([
  ["cpu > 90", "cpu > 95"],
  ["cpu > 90", "cpu < 95"],
] as const)("what it says is refused is refused: %s, %s", ([when, clear]) => {
  expect(text).toContain(`as \`cpu > 90\` with \`cpu > 95\` or \`cpu < 95\` is`);
  expect(readRule({ when, clear }, times)).toHaveProperty("problem");
});

test("what it says is the same is the same", () => {
  for (const [one, other] of [
    ["network_in > 8 Mbit/s", "network_in > 1 MB/s"],
    ["rate(disk, 6h) > 2", "rate(disk, 6h) > 2%/h"],
    ["cpu > 90", "cpu > 90%"],
  ] as const)
    expect(JSON.stringify(parseRule(one)).replaceAll(/"column":\d+,?/g, "")).toBe(
      JSON.stringify(parseRule(other)).replaceAll(/"column":\d+,?/g, ""),
    );
});
