import { type Comparison, type Condition, dimensionOfExpression, type Expression } from "./rule-ast.ts";
import { compared, holds, type ValueOf } from "./rule-holds.ts";
import type { Operator } from "./rule-lexer.ts";
import type { Dimension } from "./rule-units.ts";

/** A comparison that makes a rule hold, with what it compares. */
export interface Reason {
  readonly what: Exclude<Expression, { kind: "number" }>;
  readonly value: number;
  /** As it holds: what stands behind `not` is turned round. */
  readonly operator: Operator;
  readonly limit: number;
  readonly dimension: Dimension;
}

const opposite: Readonly<Record<Operator, Operator>> = {
  ">": "<=",
  ">=": "<",
  "<": ">=",
  "<=": ">",
  "==": "!=",
  "!=": "==",
};
const mirrored: Readonly<Record<Operator, Operator>> = {
  ">": "<",
  ">=": "<=",
  "<": ">",
  "<=": ">=",
  "==": "==",
  "!=": "!=",
};

/** Why a condition holds; empty when it does not. Of alternatives those that hold. */
export function reasonsOf(condition: Condition, values: ValueOf, wanted = true): readonly Reason[] {
  if (holds(condition, values) !== wanted) return [];
  if (condition.kind === "not") return reasonsOf(condition.of, values, !wanted);
  if (condition.kind === "compare")
    return compared(condition, values) === wanted ? reason(condition, values, wanted) : [];
  return condition.of.flatMap((part) => reasonsOf(part, values, wanted));
}

function reason({ left, right, operator }: Comparison, values: ValueOf, wanted: boolean): Reason[] {
  const sign = wanted ? operator : opposite[operator];
  const [what, other, turned] = left.kind === "number" ? [right, left, mirrored[sign]] : [left, right, sign];
  const [value, limit] = [values(what), values(other)];
  if (what.kind === "number" || value === undefined || limit === undefined) return [];
  return [{ what, value, operator: turned, limit, dimension: dimensionOfExpression(what) }];
}

/** Every comparison of a condition with what it compares, whether it holds or not, as far as it is known. */
export function factsOf(condition: Condition, values: ValueOf, wanted = true): readonly Reason[] {
  if (condition.kind === "not") return factsOf(condition.of, values, !wanted);
  if (condition.kind === "compare") return reason(condition, values, wanted);
  return condition.of.flatMap((part) => factsOf(part, values, wanted));
}

/** What was shown of a rule that fires: the values of its reasons, and when; milliseconds since 1970. */
export interface Shown {
  readonly values: readonly number[];
  readonly at: number;
}

/** What has changed so much is shown at once; a part of the value, and points of percent. */
const largePart = 0.2;
const largePercent = 5;
/** What has changed less is shown after this time; milliseconds. */
const patienceMs = 30 * 60_000;

/** What is remembered of reasons that are shown. */
export function shownOf(reasons: readonly Reason[], now: number): Shown {
  return { values: reasons.map(({ value }) => finite(value)), at: now };
}

/** Whether the values have changed so much that a card should show them. */
export function isWorthShowing(reasons: readonly Reason[], shown: Shown, now: number): boolean {
  if (reasons.length !== shown.values.length) return true;
  const isPatient = Math.abs(now - shown.at) < patienceMs;
  return reasons.some((reason, index) => {
    const value = finite(reason.value);
    const before = shown.values[index] ?? value;
    if (!isPatient) return value !== before;
    const { base, perTime } = reason.dimension;
    const isPercent = base === "percent" && perTime === 0;
    const large = isPercent ? largePercent : largePart * Math.max(Math.abs(before), Math.abs(value));
    return value !== before && Math.abs(value - before) >= large;
  });
}

/** JSON knows nothing infinite. */
function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
}
