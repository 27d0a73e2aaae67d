import type { MetricName } from "./metric.ts";
import type { Operator } from "./rule-lexer.ts";
import { type Dimension, dimensionOf } from "./rule-units.ts";

/**
 * Functions of a metric over a time before each reading.
 *
 * - `avg`, `min`, `max`: of the readings.
 * - `rate`: change per hour, by a straight line through the readings.
 * - `change`: the newest value less the one at the beginning.
 * - `full_in`: how long until nothing is left, when it goes on along that line; seconds.
 */
export const ruleFunctions = ["avg", "min", "max", "rate", "change", "full_in"] as const;
export type RuleFunction = (typeof ruleFunctions)[number];

/** Values in the units of `rule-units.ts`; columns count from 1. */
export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly dimension: Dimension; readonly column: number }
  | { readonly kind: "metric"; readonly metric: MetricName; readonly column: number }
  | {
      readonly kind: "function";
      readonly name: RuleFunction;
      readonly metric: MetricName;
      readonly windowMs: number;
      readonly column: number;
    };

export interface Comparison {
  readonly kind: "compare";
  readonly operator: Operator;
  readonly left: Expression;
  readonly right: Expression;
  readonly column: number;
}

export type Condition =
  | Comparison
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** What an expression is measured in. */
export function dimensionOfExpression(expression: Expression): Dimension {
  if (expression.kind === "number") return expression.dimension;
  const dimension = dimensionOf(expression.metric);
  if (expression.kind === "metric") return dimension;
  if (expression.name === "full_in") return { base: "seconds", perTime: 0 };
  if (expression.name !== "rate") return dimension;
  return { ...dimension, perTime: dimension.perTime === 0 ? 1 : 2 };
}

/** The same for expressions that have the same value. */
export function keyOf(expression: Expression): string {
  if (expression.kind === "number") return `${expression.value}`;
  return expression.kind === "metric"
    ? expression.metric
    : `${expression.name} ${expression.metric} ${expression.windowMs}`;
}

/** Every comparison in a condition, in the order in which they are written. */
export function comparisonsOf(condition: Condition): readonly Comparison[] {
  if (condition.kind === "compare") return [condition];
  return (condition.kind === "not" ? [condition.of] : condition.of).flatMap(comparisonsOf);
}

/** How far back conditions look for each metric, milliseconds: 0 where the newest reading is enough. */
export function windowsOf(conditions: readonly Condition[]): ReadonlyMap<MetricName, number> {
  const windows = new Map<MetricName, number>();
  for (const { left, right } of conditions.flatMap(comparisonsOf))
    for (const side of [left, right]) {
      if (side.kind === "number") continue;
      const window = side.kind === "function" ? side.windowMs : 0;
      windows.set(side.metric, Math.max(window, windows.get(side.metric) ?? 0));
    }
  return windows;
}
