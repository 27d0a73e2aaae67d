import type { Text } from "../core/text.ts";

/** Below this, a secret cannot be redacted: ordinary text would be garbled. */
export const shortestSecret = 6;

/** Values that must never be printed, the longest first: filled by the configuration as it reads them. */
let secretValues: readonly string[] = [];

/**
 * Registers a secret's value: from now on it is replaced by `[redacted]` in every log line and in every text that
 * passes `redact`. Values under `shortestSecret` characters are ignored.
 */
export function registerSecret(value: string): void {
  if (value.length < shortestSecret) return;
  // As it is, in a URL, and inside a JSON string.
  const forms = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  // One secret may begin with another: the rest of it would stay.
  secretValues = [...new Set([...secretValues, ...forms])].sort((a, b) => b.length - a.length);
}

/** The text with every registered secret and every `scheme://user:password@` replaced. */
export function redact(text: string): string {
  let result = text;
  for (const secret of secretValues) result = result.replaceAll(secret, "[redacted]");
  return result.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, "$1:[redacted]@");
}

/** The same for what a sentence is about. */
export function redactText({ key, args = {} }: Text): Text {
  const safe = Object.entries(args).map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]);
  return { key, args: Object.fromEntries(safe) };
}
