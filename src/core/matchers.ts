import { compilePattern, type Pattern } from "./pattern.ts";

/** A condition on a label, as Alertmanager writes them: `job="web"`, `env!=prod`, `instance=~"db-.*"`. */
export interface Matcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

const form = /^\s*([A-Za-z_][\w.-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))\s*$/;

/** Why a matcher is none: `form`, or `pattern` for a regular expression that is none, too long, or more than can be searched for quickly. */
export type MatcherProblem = "form" | "pattern";

/** Reads one matcher. Values may be quoted: `\"` and `\\` then stand for themselves, other backslashes are the pattern's. */
export function parseMatcher(text: string): Matcher | MatcherProblem {
  const found = form.exec(text);
  if (!found) return "form";
  const [, label = "", operator = "=", quoted, bare = ""] = found;
  const value = quoted === undefined ? bare : quoted.replaceAll(/\\(["\\])/g, "$1");
  const matcher = { label, operator: operator as Matcher["operator"], value };
  if (operator.endsWith("~") && compile(value) === undefined) return "pattern";
  return matcher;
}

/** The matcher as it is written. */
export function formatMatcher({ label, operator, value }: Matcher): string {
  // "a=~b" would read as a pattern.
  const bare = /^[^\s"\\~=][^\s"\\]*$/.test(value);
  return `${label}${operator}${bare ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`}`;
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
