import { type Dimension, timeOf, unitOf } from "./rule-units.ts";
import type { Text } from "./text.ts";

/** What is wrong with the text of a rule, and where: `column` counts from 1; that of the end is one more than its length. */
export interface RuleProblem {
  readonly problem: Text;
  readonly column: number;
}

export type Operator = ">" | ">=" | "<" | "<=" | "==" | "!=";

interface At {
  readonly column: number;
}

export interface NumberToken extends At {
  readonly kind: "number";
  readonly value: number;
  readonly dimension: Dimension;
  /** As it is written. */
  readonly text: string;
  /** No unit stands behind it: it takes that of what it is compared with. */
  readonly isBare: boolean;
}

export interface WordToken extends At {
  readonly kind: "word";
  readonly text: string;
}

export type Token =
  | NumberToken
  | WordToken
  | (At & { readonly kind: "operator"; readonly text: Operator })
  | (At & { readonly kind: "and" | "or" | "not" | "(" | ")" | "," | "end"; readonly text: string });

/** The problem of a text at a place in it; thrown, since it can be found at any depth. `parseRule` gives it. */
export class RuleError extends Error {
  readonly problem: RuleProblem;

  constructor(column: number, key: string, args: Text["args"] = {}) {
    super(key);
    this.problem = { problem: { key, args }, column };
  }
}

const space = /[^\S]+/y;
const wordForm = /[\p{L}_][\p{L}\p{N}_]*/uy;
const numberForm = /-?(?:\d+(?:\.\d*)?|\.\d+)/y;
const unitForm = /\s*(%|\p{L}+(?![\p{L}_]))/uy;
const perForm = /\s*\/\s*(\p{L}*)/uy;
const durationPart = /(\d+(?:\.\d+)?)([smhdw])(?![\p{L}_])/uy;
const signForm = /[<>]=?|==|!=|=>|=<|=|<>|!|&&|\|\||[(),]/y;

const operators: ReadonlySet<string> = new Set([">", ">=", "<", "<=", "==", "!="] satisfies Operator[]);
/** What others write, and what it is called here. */
const otherSigns: Readonly<Record<string, string>> = {
  "=": "==",
  "=>": ">=",
  "=<": "<=",
  "<>": "!=",
  "!": "not",
  "&&": "and",
  "||": "or",
};

/** Splits the text of a rule. The last token is its end. @throws RuleError for what cannot stand in one. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | undefined => {
    form.lastIndex = at;
    const found = form.exec(text) ?? undefined;
    if (found) at = form.lastIndex;
    return found;
  };
  const number = (): NumberToken | undefined => {
    const begin = at;
    const column = begin + 1;
    const amount = take(numberForm);
    if (!amount) return undefined;
    let { value, dimension, isBare } = withUnit(Number(amount[0]));
    // "1h30m" is one duration.
    while (dimension.base === "seconds" && !isBare) {
      const part = take(durationPart);
      if (!part) break;
      value += Math.sign(value || 1) * Number(part[1]) * (timeOf(part[2] ?? "") ?? Number.NaN);
    }
    for (let slash = per(); slash !== undefined; slash = per()) {
      const perTime = dimension.perTime + 1;
      if (perTime > 2) throw new RuleError(column, "rule-problem-unit", { unit: text.slice(begin, at) });
      value /= slash;
      dimension = { ...dimension, perTime: perTime as 1 | 2 };
      isBare = false;
    }
    if (!Number.isFinite(value)) throw new RuleError(column, "rule-problem-number");
    return { kind: "number", column, value, dimension, isBare, text: text.slice(begin, at) };
  };
  const withUnit = (value: number): Pick<NumberToken, "value" | "dimension" | "isBare"> => {
    const before = at;
    const word = take(unitForm)?.[1];
    const none = { value, dimension: { base: "number", perTime: 0 }, isBare: true } as const;
    if (word === undefined) return none;
    const unit = unitOf(word);
    if (unit) return { value: value * unit.factor, dimension: { base: unit.base, perTime: 0 }, isBare: false };
    const isApart = /\s/.test(text[before] ?? "");
    if (!isApart) throw new RuleError(before + 1, "rule-problem-unit", { unit: word });
    // A word of the rule: "cpu > 90 and ...".
    at = before;
    return none;
  };
  const per = (): number | undefined => {
    const before = at;
    const found = take(perForm);
    if (!found) return undefined;
    const seconds = timeOf(found[1] ?? "");
    if (seconds === undefined) throw new RuleError(before + 1, "rule-problem-unit", { unit: found[0].trim() });
    return seconds;
  };
  while (at < text.length) {
    if (take(space)) continue;
    const column = at + 1;
    const amount = number();
    if (amount) {
      tokens.push(amount);
      continue;
    }
    const word = take(wordForm)?.[0];
    if (word !== undefined) {
      const lower = word.toLowerCase();
      if (lower === "and" || lower === "or" || lower === "not") tokens.push({ kind: lower, column, text: word });
      else tokens.push({ kind: "word", column, text: word });
      continue;
    }
    const sign = take(signForm)?.[0];
    if (sign === undefined) throw new RuleError(column, "rule-problem-sign", { sign: signAt(text, at) });
    if (operators.has(sign)) tokens.push({ kind: "operator", column, text: sign as Operator });
    else if (sign === "(" || sign === ")" || sign === ",") tokens.push({ kind: sign, column, text: sign });
    else throw new RuleError(column, "rule-problem-other-sign", { sign, meant: otherSigns[sign] ?? "" });
  }
  tokens.push({ kind: "end", column: text.length + 1, text: "" });
  return tokens;
}

/** The whole character: half of one cannot be shown. */
function signAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0).toWellFormed();
}
