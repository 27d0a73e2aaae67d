import { type Matcher, matchesAll, parseMatcher, splitMatchers } from "../core/matchers.ts";
import { severities, severityOf } from "../core/signal.ts";
import { oneLine } from "./foreign-text.ts";

/** A word of a command that cannot be used, and the message that says so in one line. */
export interface BadWord {
  readonly problem: string;
  readonly word: string;
}

/** True for a word in which somebody means a condition, whether or not it can be read as one. */
export function looksLikeCondition(word: string): boolean {
  return /[=~"]/.test(word);
}

/** Reads the conditions of a word: one, or several with commas between them. */
export function readConditions(word: string): readonly Matcher[] | BadWord {
  const matchers: Matcher[] = [];
  for (const part of splitMatchers(word)) {
    const matcher = parseMatcher(part);
    if (matcher === "form") return { problem: "alerts-bad-condition", word: part };
    if (matcher === "pattern") return { problem: "alerts-bad-pattern", word: part };
    const known = matcher.label === "severity" ? withSeverity(matcher) : matcher;
    if (!known) return { problem: "alerts-bad-severity", word: part };
    matchers.push(known);
  }
  return matchers.length > 0 ? matchers : { problem: "alerts-bad-condition", word };
}

/** With the name that we give it, whatever its sender calls it; undefined when nothing ever has this severity. */
function withSeverity(matcher: Matcher): Matcher | undefined {
  if (matcher.operator.endsWith("=")) {
    const severity = severityOf(matcher.value);
    return severity && { ...matcher, value: severity };
  }
  const positive: Matcher = { ...matcher, operator: "=~" };
  return severities.some((severity) => matchesAll([positive], { severity })) ? matcher : undefined;
}

/** What is said of it, as arguments of its message. */
export function saidOf({ word }: BadWord): { readonly word: string } {
  return { word: oneLine(word, 60) };
}
