import { matcherOf } from "./globs.ts";
import type { MetricName } from "./metric.ts";
import { parseRule } from "./rule.ts";
import type { Condition, Expression } from "./rule-ast.ts";
import type { Severity } from "./signal.ts";

/** What is needed of a rule to know whom it is about. */
export interface RuleChoice {
  readonly servers?: readonly string[] | undefined;
  readonly match?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

interface Named {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a rule is about a server: by its name, and by its labels. */
export function isChosen({ servers, match = {} }: RuleChoice, { name, labels }: Named): boolean {
  if (servers && !matcherOf(servers)(name)) return false;
  return Object.entries(match).every(([label, wanted]) =>
    [wanted].flat().includes(Object.hasOwn(labels, label) ? (labels[label] ?? "") : ""),
  );
}

/** A value of a metric at which a rule speaks up. */
export interface RuleLimit {
  readonly metric: MetricName;
  /** In the metric's unit. */
  readonly value: number;
  readonly severity: Severity;
}

/**
 * Limits that can be drawn as lines: those of comparisons of a metric, or of its mean and extremes, with a number. A rate
 * of change or a forecast has none, nor has what is turned round by `not`. The most urgent of equal ones alone.
 */
export function limitsOf(
  rules: readonly (RuleChoice & { readonly when: string; readonly severity: Severity })[],
  server: Named,
): RuleLimit[] {
  const limits = new Map<string, RuleLimit>();
  for (const { severity, ...rule } of rules) {
    if (!isChosen(rule, server)) continue;
    const read = parseRule(rule.when);
    if (!("rule" in read)) continue;
    for (const { metric, value } of linesOf(read.rule)) {
      const key = `${metric} ${value}`;
      if (limits.get(key)?.severity !== "critical") limits.set(key, { metric, value, severity });
    }
  }
  return [...limits.values()];
}

function linesOf(condition: Condition): Omit<RuleLimit, "severity">[] {
  if (condition.kind === "not") return [];
  if (condition.kind !== "compare") return condition.of.flatMap(linesOf);
  const { left, right } = condition;
  const [metric, number] = left.kind === "number" ? [metricOf(right), left] : [metricOf(left), right];
  return metric !== undefined && number.kind === "number" ? [{ metric, value: number.value }] : [];
}

function metricOf(expression: Expression): MetricName | undefined {
  if (expression.kind === "metric") return expression.metric;
  if (expression.kind !== "function") return undefined;
  return ["avg", "min", "max"].includes(expression.name) ? expression.metric : undefined;
}
