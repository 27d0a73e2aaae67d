import { describe, expect, test } from "vitest";
import { parseMarkdownV2 } from "../../../src/sandbox/telegram/markdown.ts";
import { fc, test as property } from "./property.ts";

const reserved = (char: string): string =>
  `Character '${char}' is reserved and must be escaped with the preceding '\\'`;

describe("MarkdownV2 that Telegram refuses", () => {
  test.each([
    ["hello.", reserved(".")],
    ["a-b", reserved("-")],
    ["hello!", reserved("!")],
    ["test()", reserved("(")],
    ["#tag", reserved("#")],
    ["a+b", reserved("+")],
    ["a=b", reserved("=")],
    ["a{b", reserved("{")],
    ["a>b", reserved(">")],
    ["a|b", reserved("|")],
    ["a]b", reserved("]")],
    ["*unclosed", "Can't find end of Bold entity at byte offset 0"],
    ["привет _x", "Can't find end of Italic entity at byte offset 13"],
    ["*bold _italic\\_*", "Can't find end of Bold entity at byte offset 15"],
    ["`code", "Can't find end of Code entity at byte offset 0"],
    ["[x](http://x.org", "Can't find end of a URL at byte offset 4"],
  ])("%s", (source, message) => {
    expect(() => parseMarkdownV2(source)).toThrow(expect.objectContaining({ message }));
  });
});

test.each([
  ["___both_**__", ["italic", "underline"]],
  ["*b _i_ ~s~ ||p||*", ["bold", "italic", "spoiler", "strikethrough"]],
  [">a\n>b||\nc", ["expandable_blockquote"]],
  ["`a*b_c`", ["code"]],
  ["```ts\nconst a = 1\n```", ["pre"]],
  ["[me](tg://user?id=5) ![x](tg://emoji?id=5368324170671202286)", ["custom_emoji", "text_mention"]],
])("%s", (source, types) => {
  const found = parseMarkdownV2(source).entities.map((entity) => entity.type);
  expect(found.toSorted()).toEqual(types);
});

const escaped = (text: string): string => text.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, "\\$&");

property([fc.string({ unit: "grapheme", maxLength: 200 })], "escaped text comes back as it was", (text) => {
  expect(parseMarkdownV2(escaped(text))).toEqual({ text, entities: [] });
});
