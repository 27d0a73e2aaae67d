import { createHash, timingSafeEqual } from "node:crypto";

/** Compares secrets in constant time, whatever their lengths. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given ?? ""), digest(expected)) && given !== undefined;
}

/** The token of an `Authorization` header: a bearer's, or the password of anybody. */
export function givenToken(authorization: string | undefined): string | undefined {
  const [, scheme = "", value] = /^(\S+) +(.+)$/.exec(authorization?.trim() ?? "") ?? [];
  if (value === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
