import { isMetricName, type MetricName, metricNames } from "./metric.ts";
import { nearest } from "./nearest.ts";
import {
  type Condition,
  dimensionOfExpression,
  type Expression,
  keyOf,
  type RuleFunction,
  ruleFunctions,
} from "./rule-ast.ts";
import { type NumberToken, RuleError, type RuleProblem, type Token, tokensOf } from "./rule-lexer.ts";
import { exampleOf, sameDimension } from "./rule-units.ts";

/** Longest text of a rule; characters. */
const longest = 500;
/** Deepest nesting of parentheses and `not`. */
const deepest = 40;
/** Longest time that a function looks back; milliseconds. */
const longestWindow = 7 * 86_400_000;

/** What can run full or empty. */
const canFill: ReadonlySet<MetricName> = new Set(["disk", "disk_free", "inodes", "memory", "swap"]);

/** Reads the condition of a rule; never throws. `docs/rules.md` describes the language. */
export function parseRule(text: string): { readonly rule: Condition } | RuleProblem {
  try {
    if (text.length > longest) throw new RuleError(longest + 1, "rule-problem-long", { longest });
    return { rule: new Parser(tokensOf(text)).whole() };
  } catch (error) {
    if (error instanceof RuleError) return error.problem;
    throw error;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Condition {
    const condition = this.#or();
    if (this.#peek().kind !== "end") throw this.#unexpected("operator");
    return condition;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (!token) throw new RangeError("a text without an end");
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  /** Takes the closing parenthesis. */
  #close(): void {
    if (this.#peek().kind !== ")") throw this.#unexpected("close");
    this.#take();
  }

  #or(): Condition {
    return this.#joined("or", () => this.#joined("and", () => this.#not()));
  }

  #joined(kind: "and" | "or", part: () => Condition): Condition {
    const first = part();
    const all = [first];
    while (this.#peek().kind === kind) {
      this.#take();
      all.push(part());
    }
    return all.length === 1 ? first : { kind, of: all };
  }

  #not(): Condition {
    const { kind, column } = this.#peek();
    if (kind !== "not" && kind !== "(") return this.#comparison();
    this.#depth += 1;
    if (this.#depth > deepest) throw new RuleError(column, "rule-problem-deep", { deepest });
    this.#take();
    let condition: Condition;
    if (kind === "not") condition = { kind, of: this.#not() };
    else {
      condition = this.#or();
      this.#close();
    }
    this.#depth -= 1;
    return condition;
  }

  #comparison(): Condition {
    const left = this.#side();
    const sign = this.#peek();
    if (sign.kind !== "operator") throw this.#unexpected("comparison");
    this.#take();
    const right = this.#side();
    const after = this.#peek();
    if (after.kind === "operator") throw new RuleError(after.column, "rule-problem-chain");
    if (left.kind === "number" && right.kind === "number") throw new RuleError(left.column, "rule-problem-constant");
    const sides = { left: united(left, right), right: united(right, left) };
    if (keyOf(sides.left) === keyOf(sides.right)) throw new RuleError(right.column, "rule-problem-same");
    return { kind: "compare", operator: sign.text, ...sides, column: left.column };
  }

  #side(): Side {
    const token = this.#take();
    if (token.kind === "number") return token;
    if (token.kind !== "word") {
      this.#at -= 1;
      throw this.#unexpected("value");
    }
    const { text, column } = token;
    if (isFunction(text)) return this.#call(text, column);
    if (this.#peek().kind === "(") throw new RuleError(column, "rule-problem-function", meant(text, ruleFunctions));
    return { kind: "metric", metric: metricOf(text, column), column };
  }

  #call(name: RuleFunction, column: number): Exclude<Expression, { kind: "number" }> {
    if (this.#peek().kind !== "(") throw new RuleError(column, "rule-problem-call", { name });
    this.#take();
    const word = this.#peek();
    if (word.kind !== "word") throw this.#unexpected("metric");
    this.#take();
    const metric = metricOf(word.text, word.column);
    if (name === "full_in" && !canFill.has(metric))
      throw new RuleError(word.column, "rule-problem-fill", { metric, known: [...canFill].join(", ") });
    // That it grows says nothing.
    if (metric === "uptime") throw new RuleError(word.column, "rule-problem-uptime", { name });
    const comma = this.#peek();
    if (comma.kind !== ",") throw new RuleError(comma.column, "rule-problem-window", { name, metric });
    this.#take();
    const window = this.#peek();
    if (window.kind !== "number" || !sameDimension(window.dimension, { base: "seconds", perTime: 0 }))
      throw new RuleError(window.column, "rule-problem-window", { name, metric });
    const windowMs = window.value * 1000;
    if (windowMs < 60_000 || windowMs > longestWindow) throw new RuleError(window.column, "rule-problem-window-length");
    this.#take();
    this.#close();
    return { kind: "function", name, metric, windowMs, column };
  }

  /** What stands here is not what is `expected`. */
  #unexpected(expected: "operator" | "comparison" | "value" | "metric" | "close"): RuleError {
    const { kind, text, column } = this.#peek();
    return kind === "end"
      ? new RuleError(column, "rule-problem-end", { expected })
      : new RuleError(column, "rule-problem-unexpected", { found: text, expected });
  }
}

/** A side of a comparison, whose number has not got its unit from the other side yet. */
type Side = NumberToken | Exclude<Expression, { kind: "number" }>;

function isFunction(word: string): word is RuleFunction {
  return (ruleFunctions as readonly string[]).includes(word);
}

function metricOf(word: string, column: number): MetricName {
  if (isMetricName(word)) return word;
  throw new RuleError(column, "rule-problem-metric", meant(word, metricNames));
}

/** What other programs call them. */
const otherNames: Readonly<Record<string, MetricName>> = {
  ram: "memory",
  processor: "cpu",
  hdd: "disk",
  ssd: "disk",
  la: "load",
  loadavg: "load",
  rx: "network_in",
  tx: "network_out",
};

function meant(word: string, known: readonly string[]): { word: string; known: string; near: "yes" | "no" } {
  const lower = word.toLowerCase();
  const begins = lower.length >= 2 ? known.find((name) => name.startsWith(lower)) : undefined;
  const other = Object.hasOwn(otherNames, lower) ? otherNames[lower] : undefined;
  const goesOn = known.filter((name) => lower.startsWith(name)).toSorted((a, b) => b.length - a.length)[0];
  const isKnown = other !== undefined && known.includes(other);
  const near = nearest(word, known) ?? (isKnown ? other : undefined) ?? begins ?? goesOn;
  return { word, known: near ?? known.join(", "), near: near === undefined ? "no" : "yes" };
}

/** A side with its unit: a bare number has the other side's, where only one can be meant. @throws RuleError */
function united(side: Side, other: Side): Expression {
  if (side.kind !== "number") {
    if (other.kind !== "number") checkSame(side, other);
    return side;
  }
  const { value, column, isBare } = side;
  if (other.kind === "number") throw new RuleError(column, "rule-problem-constant");
  const dimension = dimensionOfExpression(other);
  if (!isBare) {
    if (!sameDimension(side.dimension, dimension))
      throw new RuleError(column, "rule-problem-other-unit", { found: side.text, example: exampleOf(dimension) });
    return { kind: "number", value, dimension, column };
  }
  // 10 what? Nothing is nothing in every unit.
  const isPlain = dimension.base === "percent" || dimension.base === "number" || value === 0;
  if (!isPlain)
    throw new RuleError(column, "rule-problem-no-unit", { found: side.text, example: exampleOf(dimension) });
  return { kind: "number", value: value / 3600 ** dimension.perTime, dimension, column };
}

function checkSame(left: Expression, right: Expression): void {
  const [a, b] = [dimensionOfExpression(left), dimensionOfExpression(right)];
  if (sameDimension(a, b)) return;
  const [least, most] = left.column < right.column ? [left, right] : [right, left];
  throw new RuleError(most.column, "rule-problem-sides", {
    left: exampleOf(dimensionOfExpression(least)),
    right: exampleOf(dimensionOfExpression(most)),
  });
}
