import { z } from "zod";
import { AppError } from "../core/errors.ts";
import { digest, type Link, type Signal } from "../core/signal.ts";

/** What a signal may hold; characters. What is more is left out, and the signal says so. */
export const limits = {
  title: 300,
  text: 100_000,
  labels: 64,
  labelName: 200,
  labelValue: 1000,
  links: 12,
  url: 2048,
  fingerprint: 300,
} as const;

/** A body that can not be used. The line names the place and what was expected there, never the value. */
export function unusable(path: readonly PropertyKey[], expected: string): AppError {
  return new AppError("http", `${placeOf(path)}: ${expected}`);
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return place === "" ? "the body" : place.replace(/^\./, "").slice(0, 200);
}

/** Reads `value` by a schema. @throws AppError `http` about the first thing that is wrong, at `path` and below it. */
export function readAs<S extends z.ZodType>(schema: S, value: unknown, path: readonly PropertyKey[] = []): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw unusable(
    [...path, ...(issue?.path ?? [])],
    (issue?.message ?? "not as expected").replace("Invalid input: ", ""),
  );
}

/** The value as a label's: text as it is, numbers and the like spelled out; undefined for nothing. */
export function spelled(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? undefined);
}

/** Labels or annotations, whatever their values; also none. */
export const pairsSchema = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform(
    (pairs): Record<string, string> =>
      Object.fromEntries(
        Object.entries(pairs ?? {}).flatMap(([name, value]) => {
          const text = spelled(value);
          return text === undefined ? [] : [[name, text]];
        }),
      ),
  );

const isoTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/i;

/** A point in time; undefined for none, which Go spells "0001-01-01T00:00:00Z". ISO 8601 in UTC in the result. */
export const timeSchema = z
  .string()
  .refine((text) => text === "" || (isoTime.test(text) && !Number.isNaN(Date.parse(text))), {
    error: 'expected a time such as "2026-03-01T03:00:00Z"',
  })
  .nullish()
  .transform((text) => {
    if (text === undefined || text === null || text === "" || text.startsWith("0001-")) return undefined;
    return new Date(text).toISOString();
  });

/** A text that may be missing or null. */
export const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

/** A link, when the address is one that a browser may open. */
export function linkTo(kind: Link["kind"], address: string | undefined): Link[] {
  if (address === undefined) return [];
  const url = URL.parse(address.trim());
  return url?.protocol === "http:" || url?.protocol === "https:" ? [{ kind, url: url.href }] : [];
}

/** The first text that is not empty. */
export function firstOf(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined && text.trim() !== "");
}

/** A signal before it is brought into bounds. */
export type Draft = Omit<Signal, "title" | "text"> & { readonly title: string; readonly text?: string | undefined };

/** Brings a signal into bounds, so that no sender can fill the memory; what is left out is said in its text. */
export function bounded(draft: Draft): Signal {
  const whole = draft.title
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const title = shortened(whole, limits.title);
  const said = (draft.text ?? "").toWellFormed().trim();
  // A title that does not fit is told in full below it.
  const full = title === whole ? said : [whole, said].filter(Boolean).join("\n\n");
  const text = full.slice(0, limits.text).toWellFormed();
  const { labels, cut } = boundedLabels(draft.labels);
  const all = draft.links ?? [];
  const links = all.filter(({ url }) => url.length <= limits.url).slice(0, limits.links);
  const left = { characters: full.length - text.length, labels: cut, links: all.length - links.length };
  const isShortened = Object.values(left).some((count) => count > 0);
  const name = fingerprintOf(draft, cut > 0 || title !== whole);
  return {
    ...draft,
    title,
    text: isShortened ? { key: "inbound-shortened", args: { text, ...left } } : text || undefined,
    labels,
    links,
    fingerprint: name,
  };
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;
}

/** What was cut must still tell two things apart. */
function fingerprintOf({ fingerprint, title, labels }: Draft, isCut: boolean): string | undefined {
  if (fingerprint !== undefined && fingerprint !== "")
    return fingerprint.length > limits.fingerprint ? digest(fingerprint, 22) : fingerprint;
  return isCut ? digest(JSON.stringify([title, sorted(labels)]), 22) : undefined;
}

function sorted(labels: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** A name for what has these labels and no name. */
export function fingerprintOfLabels(labels: Readonly<Record<string, string>>): string {
  return digest(JSON.stringify(sorted(labels)), 22);
}

/** `cut`: how many labels are missing or shortened. */
function boundedLabels(labels: Draft["labels"]): { labels: Record<string, string>; cut: number } {
  let cut = 0;
  const kept: [string, string][] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (kept.length >= limits.labels || name.length > limits.labelName) {
      cut += 1;
      continue;
    }
    if (value.length > limits.labelValue) cut += 1;
    kept.push([name.toWellFormed(), shortened(value.toWellFormed(), limits.labelValue)]);
  }
  return { labels: Object.fromEntries(kept), cut };
}
