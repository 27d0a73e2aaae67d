import { bech32 } from "@scure/base";

/**
 * What age keys look like: https://c2sp.org/age. A check of their form and checksum only, apart from `crypto.ts`, since
 * every process checks its configuration and few encrypt: the library costs 11 MB of memory.
 */
const recipients: Readonly<Record<string, number>> = { age: 32, age1pq: 1216 };
const identities: Readonly<Record<string, number>> = { "age-secret-key-": 32, "age-secret-key-pq-": 32 };

/** True for a public key (`age1...`) that can be encrypted for. */
export function isRecipient(text: string): boolean {
  return isKey(text, recipients);
}

/** True for a private key (`AGE-SECRET-KEY-1...`). */
export function isIdentity(text: string): boolean {
  return text === text.toUpperCase() && isKey(text, identities);
}

/** The private keys in the text of an age identity file: one a line, between blank lines and comments behind "#". */
export function identityLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function isKey(text: string, kinds: Readonly<Record<string, number>>): boolean {
  const decoded = bech32.decodeUnsafe(text, false);
  if (!decoded) return false;
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  return bytes !== undefined && kinds[decoded.prefix] === bytes.length;
}
