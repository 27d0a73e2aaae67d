import { z } from "zod";

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const durationPattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w)\s?)+$/;
const sizePattern = /^\d+(?:\.\d+)?\s?(?:[KMGT]i?)?B$/i;

/** Milliseconds of "500ms", "30s", "5m", "1h30m", "7d", "2w"; undefined when the text is none of these. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!durationPattern.test(trimmed)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    sum += Number(amount) * (durationUnits[unit ?? ""] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : undefined;
}

/** Bytes of "512B", "8MiB" (powers of 1024), "1.5GB" (powers of 1000); undefined when the text is none of these. */
export function parseSize(text: string): number | undefined {
  const trimmed = text.trim();
  if (!sizePattern.test(trimmed)) return undefined;
  const unit = trimmed.replace(/^[\d.\s]+/, "").toLowerCase();
  const bytes = Math.round(Number.parseFloat(trimmed) * (sizeUnits[unit] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A duration in the configuration; milliseconds in the result. More than nothing. */
export function durationSchema() {
  return z
    .string({ error: "config-problem-duration" })
    .regex(durationPattern, { error: "config-problem-duration" })
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms > 0) return ms;
      context.addIssue("config-problem-duration");
      return z.NEVER;
    });
}

/** A size in the configuration; bytes in the result. */
export function sizeSchema() {
  return z
    .string({ error: "config-problem-size" })
    .regex(sizePattern, { error: "config-problem-size" })
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes !== undefined) return bytes;
      context.addIssue("config-problem-size");
      return z.NEVER;
    });
}
