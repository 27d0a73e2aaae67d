import type { Comparison, Condition, Expression } from "./rule-ast.ts";

/** The value of an expression: undefined when it is not known, infinite when something never happens. */
export type ValueOf = (expression: Expression) => number | undefined;

/**
 * Whether a condition holds. Undefined: nobody knows, for a value that it depends on is missing. What is known decides
 * where it can: `a or b` holds when `a` does, whatever `b` is.
 */
export function holds(condition: Condition, look: ValueOf): boolean | undefined {
  switch (condition.kind) {
    case "compare":
      return compared(condition, look);
    case "not": {
      const inner = holds(condition.of, look);
      return inner === undefined ? undefined : !inner;
    }
    default: {
      const deciding = condition.kind === "or";
      let isUnknown = false;
      for (const part of condition.of) {
        const held = holds(part, look);
        if (held === deciding) return deciding;
        isUnknown ||= held === undefined;
      }
      return isUnknown ? undefined : !deciding;
    }
  }
}

/** Whether one comparison holds. */
export function compared({ operator, left, right }: Comparison, look: ValueOf): boolean | undefined {
  const a = look(left);
  const b = look(right);
  if (a === undefined || b === undefined) return undefined;
  switch (operator) {
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case "==":
      return a === b;
    default:
      return a !== b;
  }
}
