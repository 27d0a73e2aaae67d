import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** One value of a header, whatever the case of its name. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === "string" ? value.trim() : undefined;
}

/** Whether `given` is the HMAC-SHA256 of the parts in hexadecimal ("sha256=" in front of it or not). Constant time. */
export function isSignatureOf(secret: string, parts: readonly (string | Buffer)[], given: string): boolean {
  const hmac = createHmac("sha256", secret);
  for (const part of parts) hmac.update(part);
  const expected = hmac.digest();
  const hex = given.replace(/^sha256=/i, "");
  const actual = /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, "hex") : Buffer.alloc(expected.length);
  return timingSafeEqual(actual, expected);
}
