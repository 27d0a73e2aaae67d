import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { metricNames } from "../../src/core/metric.ts";
import { parseRule } from "../../src/core/rule.ts";
import { comparisonsOf, ruleFunctions, windowsOf } from "../../src/core/rule-ast.ts";
import { messagesOf } from "../../src/messages/index.ts";

/** A condition as one reads it back, every pair of parentheses written. */
function read(text: string): string {
  const parsed = parseRule(text);
  if ("problem" in parsed) throw new Error(`${text}: ${problemOf(text)}`);
  return shown(parsed.rule);
}

type Rule = Extract<ReturnType<typeof parseRule>, { rule: unknown }>["rule"];

function shown(condition: Rule): string {
  if (condition.kind === "not") return `not ${shown(condition.of)}`;
  if (condition.kind !== "compare") return `(${condition.of.map(shown).join(` ${condition.kind} `)})`;
  const side = (expression: (typeof condition)["left"]): string => {
    if (expression.kind === "metric") return expression.metric;
    if (expression.kind === "function")
      return `${expression.name}(${expression.metric}, ${expression.windowMs / 60_000})`;
    const { base, perTime } = expression.dimension;
    return `${expression.value} ${base}${"/s".repeat(perTime)}`;
  };
  return `${side(condition.left)} ${condition.operator} ${side(condition.right)}`;
}

/** "column: sentence" */
function problemOf(text: string): string {
  const parsed = parseRule(text);
  if (!("problem" in parsed)) return "";
  return `${parsed.column}: ${messagesOf("en").plain(parsed.problem.key, parsed.problem.args)}`;
}

describe("the condition of a rule", () => {
  test.for([
    ["cpu > 90", "cpu > 90 percent"],
    ["cpu>90%", "cpu > 90 percent"],
    ["  cpu  >=  90.5 % ", "cpu >= 90.5 percent"],
    ["90 < cpu", "90 percent < cpu"],
    ["disk_free < 10 GB", "disk_free < 10000000000 bytes"],
    ["disk_free < 10GiB", "disk_free < 10737418240 bytes"],
    ["disk_free == 0", "disk_free == 0 bytes"],
    ["network_in > 5 MB/s", "network_in > 5000000 bytes/s"],
    ["network_in > 60 MB/m", "network_in > 1000000 bytes/s"],
    ["network_out > 100Mbit/s", "network_out > 12500000 bytes/s"],
    ["uptime < 15m", "uptime < 900 seconds"],
    ["uptime < 1h30m", "uptime < 5400 seconds"],
    ["load_per_core != 2", "load_per_core != 2 number"],
    ["avg(cpu, 30m) > 90", "avg(cpu, 30) > 90 percent"],
    ["rate(disk, 6h) > 3.6", "rate(disk, 360) > 0.001 percent/s"],
    ["rate(disk, 6h) > 3.6 %/h", "rate(disk, 360) > 0.001 percent/s"],
    ["rate(disk_free, 6h) < -3.6 GB/h", "rate(disk_free, 360) < -1000000 bytes/s"],
    ["rate(network_in, 1h) > 3.6 MB/s/h", "rate(network_in, 60) > 1000 bytes/s/s"],
    ["rate(load, 1h) > 7200/h", "rate(load, 60) > 2 number/s"],
    ["change(memory, 1d) > 20%", "change(memory, 1440) > 20 percent"],
    ["full_in(disk, 6h) < 24h", "full_in(disk, 360) < 86400 seconds"],
    ["avg(cpu, 10m) > avg(cpu, 1d)", "avg(cpu, 10) > avg(cpu, 1440)"],
    ["cpu > 90 and memory > 90 or swap > 50", "((cpu > 90 percent and memory > 90 percent) or swap > 50 percent)"],
    ["cpu > 90 AND (memory > 90 or swap > 50)", "(cpu > 90 percent and (memory > 90 percent or swap > 50 percent))"],
    ["not cpu < 90 and disk > 1", "(not cpu < 90 percent and disk > 1 percent)"],
    ["not (cpu < 90 and not disk > 1)", "not (cpu < 90 percent and not disk > 1 percent)"],
    ["cpu > 90\n  and memory > 90", "(cpu > 90 percent and memory > 90 percent)"],
  ] as const)("%j is read as %j", ([text, meaning]) => {
    expect(read(text)).toBe(meaning);
  });

  test.for([
    ["", "1: the condition ends too early. Expected a metric, a function or a number."],
    ["cpu", "4: the condition ends too early. Expected a comparison: >, >=, <, <=, == or !=."],
    ["cpu >", "6: the condition ends too early. Expected a metric, a function or a number."],
    ["mem > 90", "1: there is no metric mem. Did you mean memory?"],
    ["CPU > 90", "1: there is no metric CPU. Did you mean cpu?"],
    ["ram > 90", "1: there is no metric ram. Did you mean memory?"],
    ["cpu > 90 and dsk > 80", "14: there is no metric dsk. Did you mean disk?"],
    ["load1 > 4", "1: there is no metric load1. Did you mean load?"],
    ["temperature > 4", `1: there is no metric temperature. Known are ${metricNames.join(", ")}.`],
    ["avrg(cpu, 5m) > 4", "1: there is no function avrg. Did you mean avg?"],
    ["mean(cpu, 5m) > 4", `1: there is no function mean. Known are ${ruleFunctions.join(", ")}.`],
    ["avg > 4", "1: avg is a function: avg(cpu, 30m)."],
    ["avg(cpu) > 4", "8: expected how far to look back: avg(cpu, 6h)."],
    ["avg(cpu, 30) > 4", "10: expected how far to look back: avg(cpu, 6h)."],
    ["avg(cpu, 30 GB) > 4", "10: expected how far to look back: avg(cpu, 6h)."],
    ["avg(cpu, 8d) > 4", "10: expected a time between 1m and 7d."],
    ["avg(cpu, 10s) > 4", "10: expected a time between 1m and 7d."],
    ["avg(30m, cpu) > 4", "5: 30m cannot stand here. Expected the name of a metric."],
    ["avg(cpu, 30m > 4", '14: > cannot stand here. Expected ")".'],
    ["full_in(cpu, 6h) < 24h", "9: cpu does not run full. full_in knows disk, disk_free, inodes, memory, swap."],
    ["rate(uptime, 1h) > 4", "6: uptime always grows: rate of it says nothing."],
    ["(cpu > 90", '10: the condition ends too early. Expected ")".'],
    ["cpu > 90)", '9: ) cannot stand here. Expected "and", "or" or the end.'],
    ["cpu > 90 memory > 90", '10: memory cannot stand here. Expected "and", "or" or the end.'],
    ["cpu = 90", "5: = is written == here."],
    ["cpu => 90", "5: => is written >= here."],
    ["cpu > 90 && disk > 80", "10: && is written and here."],
    ["!(cpu > 90)", "1: ! is written not here."],
    ["cpu > 90 § disk > 80", "10: § cannot stand in a condition."],
    ["50 < cpu < 90", '10: a comparison has two sides. Write two of them with "and" in between.'],
    ["90 > 80", "1: two numbers say nothing about a server. Compare with a metric."],
    ["cpu > cpu", "7: both sides are the same."],
    ["avg(cpu, 60m) > avg( cpu,1h )", "17: both sides are the same."],
    ["disk_free < 10", "13: 10 has no unit. Expected a value such as 10 GB."],
    ["uptime < 600", "10: 600 has no unit. Expected a value such as 24h."],
    ["network_in > 5", "14: 5 has no unit. Expected a value such as 5 MB/s."],
    ["cpu > 10 GB", "7: 10 GB cannot be compared with this. Expected a value such as 5%."],
    ["disk_free < 10%", "13: 10% cannot be compared with this. Expected a value such as 10 GB."],
    ["rate(disk, 1h) > 5%", "18: 5% cannot be compared with this. Expected a value such as 5%/h."],
    ["rate(network_in, 1h) > 5 MB/s", "24: 5 MB/s cannot be compared with this. Expected a value such as 5 MB/s/h."],
    ["load > 90%", "8: 90% cannot be compared with this. Expected a value such as 2."],
    ["full_in(disk, 6h) < 24", "21: 24 has no unit. Expected a value such as 24h."],
    ["disk_free < cpu", "13: the two sides are measured in different units: one like 10 GB, the other like 5%."],
    ["not", "4: the condition ends too early. Expected a metric, a function or a number."],
    ["cpu > -", "7: - cannot stand in a condition."],
    ["cpu > 1e400 GB", "8: e is no unit."],
  ] as const)("%j is refused: %s", ([text, problem]) => {
    expect(problemOf(text)).toContain(problem);
  });

  test("is refused when it is too long or nested too deeply", () => {
    expect(problemOf(`cpu > ${"9".repeat(600)}`)).toBe("501: a condition has at most 500 characters.");
    expect(problemOf(`cpu > ${"9".repeat(400)}`)).toBe("7: this number is too large.");
    expect(problemOf(`${"(".repeat(41)}cpu > 1${")".repeat(41)}`)).toContain("41: parentheses");
    expect(read(`${"(".repeat(40)}cpu > 1${")".repeat(40)}`)).toBe("cpu > 1 percent");
    expect(problemOf(`${"not ".repeat(100)}cpu > 1`)).toContain("161: parentheses");
  });

  test("says how far it looks back for which metric", () => {
    const parsed = parseRule("avg(cpu, 30m) > 90 and cpu > 80 and not full_in(disk, 6h) > 1d or avg(cpu, 1h) > 50");
    if (!("rule" in parsed)) throw new Error("no rule");
    expect([...windowsOf([parsed.rule])]).toEqual([
      ["cpu", 3_600_000],
      ["disk", 6 * 3_600_000],
    ]);
    expect(comparisonsOf(parsed.rule).map(({ column }) => column)).toEqual([1, 24, 41, 67]);
  });

  const words = fc.constantFrom(
    ...metricNames,
    ...ruleFunctions,
    "and",
    "or",
    "not",
    "(",
    ")",
    ",",
    ">",
    "<=",
    "==",
    "!=",
    "=",
    "&&",
    " ",
    "\n",
    "90",
    "90%",
    "10 GB",
    "1h30m",
    "5 MB/s",
    "-1",
    "%/h",
    "/",
    ".",
    "-",
    "e",
    "m",
    "ё",
    "💥",
    "\uD800",
    "_",
    "1.2.3",
    "9".repeat(320),
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(words, { maxLength: 40 }).map((all) => all.join(" ")),
    fc.array(words, { maxLength: 40 }).map((all) => all.join("")),
  );

  test("whatever it is: it is read, or there is a problem at a place in it that every language can tell", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseRule(text);
        const [least, most] = [1, text.length + 1];
        const isRead = "rule" in parsed && comparisonsOf(parsed.rule).length > 0;
        const isPlaced = "problem" in parsed && parsed.column >= least && parsed.column <= most;
        expect(isRead || isPlaced).toBe(true);
        const problem = "problem" in parsed ? parsed.problem : { key: "rule-nothing" };
        for (const locale of ["en", "ru"] as const)
          expect(messagesOf(locale).plain(problem.key, problem.args)).not.toMatch(/undefined|NaN/);
      }),
      { numRuns: 3000 },
    );
  });
});
