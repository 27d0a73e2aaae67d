import { compilePattern, type Pattern } from "./pattern.ts";

/** A condition on a label, as Alertmanager writes them: `job="web"`, `env!=prod`, `instance=~"db-.*"`. */
export interface Matcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

const bareName = /^[\p{L}_][\p{L}\p{N}\p{M}_./-]*/u;
const inDouble = String.raw`"(?:[^"\\]|\\[^])*"`;
const inSingle = String.raw`'(?:[^'\\]|\\[^])*'`;
const quoted = new RegExp(`^(?:${inDouble}|${inSingle})$`, "u");
const form = new RegExp(
  String.raw`^\s*(${bareName.source.slice(1)}|${inDouble})\s*(=~|!~|!=|=)\s*(${inDouble}|${inSingle}|[^\s"']*)\s*$`,
  "u",
);
/** A second operator, or a list: whoever writes that means something else than this very value. */
const strayInValue = /^[=~!]|,/;
/** `{2,3}`: its comma is the pattern's. */
const repetition = /\{\d*,\d*\}/g;

/** Why a matcher is none: `form`, or `pattern` for a regular expression that is none, too long, or more than can be searched for quickly. */
export type MatcherProblem = "form" | "pattern";

/**
 * Reads one matcher. Values may be quoted, names of labels as well: `\"` and `\\` then stand for themselves, other
 * backslashes are the pattern's.
 */
export function parseMatcher(text: string): Matcher | MatcherProblem {
  const found = form.exec(text);
  if (!found) return "form";
  const [, name = "", sign = "=", written = ""] = found;
  const operator = sign as Matcher["operator"];
  const label = unquoted(name);
  const isPattern = operator.endsWith("~");
  const isStray = strayInValue.test(isPattern ? written.replaceAll(repetition, "") : written);
  if (label === "" || (!quoted.test(written) && isStray)) return "form";
  const value = unquoted(written);
  return isPattern && compile(value) === undefined ? "pattern" : { label, operator, value };
}

function unquoted(text: string): string {
  if (!quoted.test(text)) return text;
  const mark = text[0] ?? "";
  return text.slice(1, -1).replaceAll(/\\([\\"'])/g, (all, char: string) => ([mark, "\\"].includes(char) ? char : all));
}

/** Several matchers with commas between them, in parts. A comma in quotes or in a value separates nothing. */
export function splitMatchers(text: string): string[] {
  const parts = [""];
  for (const [piece, comma] of text.matchAll(parting))
    if (comma) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${piece}`);
  return parts.filter((part) => part !== "");
}

const parting = new RegExp(
  String.raw`${inDouble}|(?<=[=~])${inSingle}|(,)(?=$|(?:${bareName.source.slice(1)}|${inDouble})\s*(?:=|!=|!~))|[^]`,
  "gu",
);

/** The matcher as it is written. */
export function formatMatcher({ label, operator, value }: Matcher): string {
  const name = bareName.exec(label)?.[0] === label ? label : inQuotes(label);
  // "a=~b" would read as a pattern.
  const isBare = /^[^\s"'\\,~=!][^\s"'\\,]*$/.test(value);
  return `${name}${operator}${isBare ? value : inQuotes(value)}`;
}

function inQuotes(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** True when all of them hold. A label that is not there counts as empty, as in Alertmanager. */
export function matchesAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every(({ label, operator, value }) => {
    const actual = Object.hasOwn(labels, label) ? (labels[label] ?? "") : "";
    if (operator === "=") return actual === value;
    if (operator === "!=") return actual !== value;
    const found = compile(value)?.test(actual) ?? false;
    return operator === "=~" ? found : !found;
  });
}

/** Undefined when it is no pattern. */
function compile(pattern: string): Pattern | undefined {
  try {
    return compilePattern(pattern);
  } catch {
    return undefined;
  }
}
