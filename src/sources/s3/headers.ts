import type { Difference } from "../types.ts";
import { attributesOf } from "./archive.ts";
import type { Attributes } from "./bucket.ts";
import { shownKey } from "./keys.ts";
import type { IndexObject } from "./lines.ts";

/** What an object is written with besides its content. */
export function headersOf(object: IndexObject) {
  const { type, encoding, disposition, language, cache, expires, metadata } = attributesOf(object);
  return {
    ...(type === undefined ? {} : { ContentType: type }),
    ...(encoding === undefined ? {} : { ContentEncoding: encoding }),
    ...(disposition === undefined ? {} : { ContentDisposition: disposition }),
    ...(language === undefined ? {} : { ContentLanguage: language }),
    ...(cache === undefined ? {} : { CacheControl: cache }),
    ...(expires === undefined ? {} : { Expires: expiryOf(expires) }),
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
  };
}

const names = {
  type: "Content-Type",
  encoding: "Content-Encoding",
  disposition: "Content-Disposition",
  language: "Content-Language",
  cache: "Cache-Control",
} as const;

/** Whether the index knows any header of an object: only then there is something to compare. */
export function hasHeaders(object: IndexObject): boolean {
  return Object.keys(attributesOf(object)).length > 0;
}

/** Which headers of a restored object are not the index's. What the index does not have may be anything. */
export function* headerDifferences(object: IndexObject, found: Attributes): Generator<Difference> {
  const key = shownKey(object.key);
  const differs = (name: string, expected: string | undefined, now: string | undefined): Difference[] =>
    expected === now ? [] : [{ what: `${key}: ${name}`, expected: shown(expected), found: shown(now) }];
  for (const [attribute, name] of Object.entries(names) as [keyof typeof names, string][])
    if (object[attribute] !== undefined && !(attribute === "type" && isSameType(object.type, found.type)))
      yield* differs(name, object[attribute], found[attribute]);
  // Of which only the time could be restored; a server may tell it in another form.
  const told = new Date(found.expires ?? "");
  const expires = Number.isNaN(told.getTime()) ? found.expires : told.toUTCString();
  if (object.expires !== undefined) yield* differs("Expires", expiryOf(object.expires).toUTCString(), expires);
  const { metadata } = object;
  if (metadata === undefined) return;
  const all = new Set([...Object.keys(metadata), ...Object.keys(found.metadata ?? {})]);
  for (const name of [...all].toSorted())
    yield* differs(`x-amz-meta-${shownKey(name)}`, metadata[name], found.metadata?.[name]);
}

/** Servers may write the same type otherwise: `text/html; charset=UTF-8` without the space, or in small letters. */
function isSameType(one: string | undefined, other: string | undefined): boolean {
  const plain = (type: string): string => type.toLowerCase().replaceAll(/\s*([;=])\s*/g, "$1");
  return one !== undefined && other !== undefined && plain(one) === plain(other);
}

function shown(value: string | undefined): string {
  return value === undefined ? "-" : shownKey(value);
}

/** What is no date of HTTP, `0` above all, means a time that is over; so RFC 9111. Requests can only have dates. */
function expiryOf(text: string): Date {
  const date = new Date(text);
  return /^[A-Z][a-z]+, .* GMT$/.test(text) && !Number.isNaN(date.getTime()) ? date : new Date(0);
}
