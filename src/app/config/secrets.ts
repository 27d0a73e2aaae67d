import { registerSecret } from "../../lib/logger.ts";
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
      "when",
    ]),
);

/** Settings that are secrets even when they are written into the file. */
const secretKeys = new Set(["token", "secretToken", "accessKeyId", "secretAccessKey", "identity", "password", "key"]);

/** Addresses of which only the password is secret; an http address may be a secret as a whole. */
const databaseUrl = /^(?:rediss?|postgres(?:ql)?):/;

/** Makes sure that a secret setting never appears in a log or an error, whichever way it came in. */
export function registerSecrets(path: Path, text: string, fromEnvironment: readonly string[]): void {
  const key = String(path.findLast((step) => typeof step === "string") ?? "");
  registerPasswords(text);
  const isPlain = plainKeys.has(key) || path.includes("topics");
  if (secretKeys.has(key)) registerSecret(text);
  if (isPlain) return;
  for (const value of fromEnvironment) if (!databaseUrl.test(value)) registerSecret(value);
}

/** Passwords within an address: in front of the host, or as a parameter. */
function registerPasswords(text: string): void {
  if (!text.includes("://")) return;
  const [, raw] = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s]*)@/i.exec(text) ?? [];
  if (raw) registerSecret(raw);
  const url = URL.parse(text);
  if (!url) return;
  if (url.password !== "") registerDecoded(url.password);
  for (const [name, value] of url.searchParams) if (/password|secret|token/i.test(name)) registerSecret(value);
}

function registerDecoded(password: string): void {
  registerSecret(password);
  try {
    registerSecret(decodeURIComponent(password));
  } catch {
    // Not percent-encoded after all: it is registered as it stands.
  }
}
