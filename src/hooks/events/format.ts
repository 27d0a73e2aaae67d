import { type Signal, severityOf } from "../../core/signal.ts";
import { bounded, linkTo, readAs, timeSchema, unusable } from "../read.ts";
import type { FormatConfig } from "./schema.ts";
import { fill, valueAt } from "./template.ts";

type Path = readonly PropertyKey[];

/** Reads somebody else's JSON as the configuration says. `source`: the format's name. */
export function* readFormat(body: unknown, format: FormatConfig, source: string): Generator<Signal> {
  for (const { item, path } of itemsOf(body, format)) {
    const signal = readItem(item, path, format, source);
    if (signal) yield signal;
  }
}

function itemsOf(body: unknown, { each }: FormatConfig): { item: unknown; path: Path }[] {
  const list = each === undefined ? body : valueAt(body, each);
  const path = each === undefined ? [] : each.split(".");
  if (Array.isArray(list)) return list.map((item: unknown, index) => ({ item, path: [...path, index] }));
  if (each !== undefined) throw unusable(path, "expected a list");
  return [{ item: list, path }];
}

function readItem(item: unknown, path: Path, format: FormatConfig, source: string): Signal | undefined {
  if (typeof item !== "object" || item === null) throw unusable(path, "expected an object");
  const status = statusOf(item, path, format);
  if (status === "skip") return undefined;
  const title = fill(format.title, item);
  if (title === undefined) throw unusable(path, "none of the templates of `title` fits");
  const labels = Object.entries(format.labels).flatMap(([name, template]) => {
    const value = fill(template, item);
    return value === undefined ? [] : [[name, value] as const];
  });
  const severity = format.severity === undefined ? undefined : fill(format.severity, item);
  return bounded({
    source,
    fingerprint: format.fingerprint === undefined ? undefined : fill(format.fingerprint, item),
    status,
    severity: severityOf(severity) ?? (status === "info" ? "info" : "warning"),
    title,
    text: format.text === undefined ? undefined : fill(format.text, item),
    labels: Object.fromEntries(labels),
    links: linkTo("page", format.url === undefined ? undefined : fill(format.url, item)),
    startsAt: format.startsAt === undefined ? undefined : readTime(fill(format.startsAt, item), path),
    repeats: false,
  });
}

function statusOf(item: unknown, path: Path, { status, statuses }: FormatConfig): Signal["status"] | "skip" {
  const word = fill(status, item) ?? "";
  const meant = Object.hasOwn(statuses, word) ? statuses[word] : statuses["*"];
  if (meant !== undefined) return meant;
  if (word === "firing" || word === "resolved" || word === "info") return word;
  throw unusable(path, word === "" ? "none of the templates of `status` fits" : "`statuses` does not know its status");
}

/** Whoever writes a time without a zone means UTC. */
function readTime(text: string | undefined, path: Path): string | undefined {
  if (text === undefined) return undefined;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`;
  return readAs(timeSchema, zoned, path);
}
