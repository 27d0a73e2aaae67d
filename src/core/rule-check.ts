import { parseRule } from "./rule.ts";
import { type Condition, comparisonsOf, type Expression, keyOf } from "./rule-ast.ts";
import { holds } from "./rule-holds.ts";
import type { RuleProblem } from "./rule-lexer.ts";
import { rangeOf } from "./rule-units.ts";
import type { Text } from "./text.ts";

/** How a rule is written. */
export interface RuleTexts {
  readonly when: string;
  readonly clear?: string | undefined;
}

/** The same, understood. */
export interface RuleConditions {
  readonly when: Condition;
  readonly clear?: Condition;
}

/** What is wrong with one of the texts. */
export interface RuleTextProblem extends RuleProblem {
  readonly field: "when" | "clear";
}

/** Milliseconds between two readings, and for how long each is kept. */
export interface ReadingTimes {
  readonly every: number;
  readonly raw: number;
}

/** Readings without which a line through them says nothing. */
export const fewestForLine = 5;

/** A rule with more cases than this is not looked through. */
const mostCases = 20_000;

/**
 * Reads both conditions of a rule and looks whether they can work: each can hold and can fail to, what fires can clear,
 * and there are readings for every time that is looked back.
 */
export function readRule(texts: RuleTexts, times: ReadingTimes): RuleConditions | RuleTextProblem {
  const when = parseRule(texts.when);
  if ("problem" in when) return { field: "when", ...when };
  const clear = texts.clear === undefined ? undefined : parseRule(texts.clear);
  if (clear && "problem" in clear) return { field: "clear", ...clear };
  const rule = { when: when.rule, ...(clear ? { clear: clear.rule } : {}) };
  return windowProblem(rule, times) ?? caseProblem(rule) ?? rule;
}

function windowProblem({ when, clear }: RuleConditions, times: ReadingTimes): RuleTextProblem | undefined {
  const sides = (condition: Condition | undefined): readonly Expression[] =>
    condition ? comparisonsOf(condition).flatMap(({ left, right }) => [left, right]) : [];
  const problem = (field: "when" | "clear", all: readonly Expression[]): RuleTextProblem[] =>
    all.flatMap((side) => {
      const found = side.kind === "function" ? wrongWindow(side, times) : undefined;
      return found ? [{ field, column: side.column, problem: found }] : [];
    });
  return [...problem("when", sides(when)), ...problem("clear", sides(clear))][0];
}

function wrongWindow(
  { name, windowMs }: Extract<Expression, { kind: "function" }>,
  { every, raw }: ReadingTimes,
): Text | undefined {
  const fewest = name === "rate" || name === "full_in" ? fewestForLine : 2;
  const minutes = Math.ceil(((fewest - 1) * every) / 60_000);
  if (windowMs < minutes * 60_000) return { key: "rule-problem-window-short", args: { name, minutes } };
  const hours = Math.floor(raw / 3_600_000);
  return windowMs > raw ? { key: "rule-problem-window-kept", args: { hours } } : undefined;
}

/**
 * Every expression taken for itself, a condition can only change where one of them passes a number: so looking at these
 * numbers, and once between each two, is looking at everything.
 */
function caseProblem({ when, clear }: RuleConditions): RuleTextProblem | undefined {
  const cases = casesOf([when, ...(clear ? [clear] : [])]);
  if (!cases) return undefined;
  const found = { when: false, notWhen: false, clear: false, both: false };
  for (const values of cases.all) {
    const look = (expression: Expression): number | undefined =>
      expression.kind === "number" ? expression.value : values.get(keyOf(expression));
    const fires = holds(when, look) === true;
    const clears = clear ? holds(clear, look) === true : !fires;
    if (fires) found.when = true;
    else found.notWhen = true;
    if (clears && !fires) found.clear = true;
    if (clears && fires) found.both = true;
  }
  const problem = (field: "when" | "clear", key: string): RuleTextProblem => ({ field, problem: { key }, column: 1 });
  if (!found.when) return problem("when", "rule-problem-never");
  if (!found.notWhen) return problem("when", "rule-problem-always");
  if (!clear) return undefined;
  if (!found.clear) return problem("clear", "rule-problem-never-clear");
  // Of several it may be meant: one of them has calmed down.
  if (found.both && cases.expressions === 1) return problem("clear", "rule-problem-clear-inside");
  return undefined;
}

interface Cases {
  /** How many different ones there are. */
  readonly expressions: number;
  readonly all: Iterable<ReadonlyMap<string, number>>;
}

/** Undefined when expressions are compared with each other, or there are too many. */
function casesOf(conditions: readonly Condition[]): Cases | undefined {
  const marks = new Map<string, { readonly range: readonly [number, number]; readonly numbers: Set<number> }>();
  for (const { left, right } of conditions.flatMap(comparisonsOf)) {
    const [expression, number] = left.kind === "number" ? [right, left] : [left, right];
    if (expression.kind === "number" || number.kind !== "number") return undefined;
    const key = keyOf(expression);
    const known = marks.get(key) ?? { range: expressionRange(expression), numbers: new Set() };
    known.numbers.add(number.value);
    marks.set(key, known);
  }
  const axes = [...marks].map(([key, { range, numbers }]) => ({ key, values: valuesOf(range, numbers) }));
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > mostCases) return undefined;
  return { expressions: axes.length, all: product(axes) };
}

/** The numbers within the range, its ends, and one between each two. */
function valuesOf([least, most]: readonly [number, number], numbers: ReadonlySet<number>): number[] {
  const sorted = [...numbers].filter((value) => value > least && value < most);
  const [first, last] = [Math.min(...sorted, 0), Math.max(...sorted, 0)];
  const ends = [Number.isFinite(least) ? least : first - 1, Number.isFinite(most) ? most : last + 1];
  const marks = [...new Set([...sorted, ...ends])].toSorted((a, b) => a - b);
  const between = marks.slice(1).map((mark, index) => (mark + (marks[index] ?? mark)) / 2);
  return [...marks, ...between, ...(Number.isFinite(most) ? [] : [Number.POSITIVE_INFINITY])];
}

function* product(
  axes: readonly { readonly key: string; readonly values: readonly number[] }[],
): Generator<ReadonlyMap<string, number>> {
  const [axis, ...others] = axes;
  if (!axis) return yield new Map();
  for (const rest of product(others)) for (const value of axis.values) yield new Map([...rest, [axis.key, value]]);
}

function expressionRange(expression: Exclude<Expression, { kind: "number" }>): readonly [number, number] {
  if (expression.kind === "metric") return rangeOf(expression.metric);
  switch (expression.name) {
    case "full_in":
      return [0, Number.POSITIVE_INFINITY];
    case "rate":
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    case "change": {
      const [, most] = rangeOf(expression.metric);
      return [-most, most];
    }
    default:
      return rangeOf(expression.metric);
  }
}

/** A text with a mark under one of its columns, in two lines; of several lines, the one with that column. */
export function pointAt(text: string, column: number): string {
  const before = text.slice(0, column - 1);
  const begin = before.lastIndexOf("\n") + 1;
  const [line = ""] = text.slice(begin).split("\n", 1);
  // Whatever takes two columns or none would move the mark: what stands before it is copied as blanks of its kind.
  const blanks = before.slice(begin).replaceAll(/[^\t]/gu, " ");
  return `    ${line.trimEnd()}\n    ${blanks}^`;
}
