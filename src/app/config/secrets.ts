import { identityLines } from "../../lib/age-keys.ts";
import { registerSecret, shortestSecret } from "../../lib/redaction.ts";
import type { Path } from "./problems.ts";

/** Settings that are no secrets even when they come from the environment: replacing them would garble every log. */
const plainKeys = new Set(
  ["timezone", "locale", "host", "port", "workerPort", "prefix", "apiRoot", "mode", "level", "path", "bucket"]
    .concat(["region", "endpoint", "name", "kind", "schedule", "id", "role", "chat", "topic", "storages", "recipients"])
    .concat([
      "concurrency",
      "counts",
      "via",
      "forcePathStyle",
      "timeout",
      "catchUp",
      "encrypt",
      "lease",
      "apiUrl",
      "provider",
      "rate",
      "burst",
      "when",
    ]),
);

/** Settings that are secrets even when they are written into the file. */
const secretKeys = new Set(
  ["token", "secretToken", "sessionToken", "accessKeyId", "secretAccessKey"].concat(["identity", "password", "key"]),
);

/** Sections that hold labels, names and times, and of them the settings that are secrets all the same. */
const alertSections = new Map<unknown, (path: Path) => boolean>([
  ["approvals", () => false],
  ["rules", () => false],
  ["recovery", () => false],
  ["stats", () => false],
  ["alerts", () => false],
  ["daily", () => false],
  ["heartbeats", ([, , key]) => key === "key"],
  // Whoever knows the address can pretend that the watch is well.
  ["heartbeat", ([, key]) => key === "url"],
  ["hooks", (path) => path.at(-1) === "secret"],
]);

/** Addresses of which only the password is secret; an http address may be a secret as a whole. */
const databaseUrl = /^(?:rediss?|postgres(?:ql)?):/;

/**
 * Makes sure that a secret setting never appears in a log or an error, whichever way it came in. False when that cannot
 * be promised, because the secret or a password in it is too short.
 */
export function registerSecrets(path: Path, text: string, fromEnvironment: readonly string[]): boolean {
  const key = String(path.findLast((step) => typeof step === "string") ?? "");
  const isAlertSecret = alertSections.get(path[0])?.(path);
  const secrets = passwordsIn(text);
  if (isAlertSecret ?? secretKeys.has(key)) secrets.push(text);
  // They may prove who asks, whatever they are called.
  if (path[0] === "servers" && path.includes("headers")) secrets.push(text);
  // Each key of several, which the text holds as a file of them does.
  if (key === "identity") secrets.push(...identityLines(text));
  for (const secret of secrets) registerSecret(secret);
  const isPlain = isAlertSecret === undefined ? plainKeys.has(key) || path.includes("topics") : !isAlertSecret;
  if (!isPlain) for (const value of fromEnvironment) if (!databaseUrl.test(value)) registerSecret(value);
  return secrets.every((secret) => secret.length === 0 || secret.length >= shortestSecret);
}

/** Passwords within an address, as written and decoded: in front of the host, or as a parameter. */
function passwordsIn(text: string): string[] {
  if (!text.includes("://")) return [];
  const [, raw = ""] = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s]*)@/i.exec(text) ?? [];
  const passwords = [raw];
  const url = URL.parse(text);
  if (!url) return passwords;
  passwords.push(url.password);
  try {
    passwords.push(decodeURIComponent(url.password));
  } catch {
    // Not percent-encoded after all: it counts as it stands.
  }
  for (const [name, value] of url.searchParams) if (/password|secret|token/i.test(name)) passwords.push(value);
  return passwords;
}
