import { expect, it } from "vitest";
import { headerDifferences } from "../../src/sources/s3/headers.ts";
import type { IndexObject } from "../../src/sources/s3/lines.ts";

const object = (more: Partial<IndexObject>) => ({ key: "k", size: 1, ...more }) as IndexObject;
const between = (one: Partial<IndexObject>, other: Parameters<typeof headerDifferences>[1]) => [
  ...headerDifferences(object(one), other),
];

it("the same type in another form is none, another type is one", () => {
  const type = "text/html; charset=UTF-8";
  expect(between({ type }, { type: "text/html;charset=utf-8" })).toEqual([]);
  expect(between({ type }, { type: "text/plain" })).toEqual([
    { what: "k: Content-Type", expected: type, found: "text/plain" },
  ]);
  expect(between({ type }, {})).toMatchObject([{ found: "-" }]);
  expect(between({}, { type })).toEqual([]);
});

it("names in a disposition are told apart by their letters", () => {
  const disposition = 'attachment; filename="A"';
  expect(between({ disposition }, { disposition })).toEqual([]);
  expect(between({ disposition }, { disposition: disposition.toLowerCase() })).toHaveLength(1);
});

it("a time of expiry is compared as a time", () => {
  const expires = "Thu, 01 Dec 2033 16:00:00 GMT";
  expect(between({ expires }, { expires: "2033-12-01T16:00:00Z" })).toEqual([]);
  expect(between({ expires: "0" }, { expires: "Thu, 01 Jan 1970 00:00:00 GMT" })).toEqual([]);
  expect(between({ expires }, { expires: "2034-12-01T16:00:00Z" })).toHaveLength(1);
});
