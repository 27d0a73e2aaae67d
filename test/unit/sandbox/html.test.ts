import { describe, expect, test } from "vitest";
import { parseHtml } from "../../../src/sandbox/telegram/html.ts";
import { fc, test as property } from "./property.ts";

describe("HTML that Telegram refuses", () => {
  test.each([
    ["<b>unclosed", `Can't find end tag corresponding to start tag "b"`],
    ["<b><i>test</b></i>", `Unmatched end tag at byte offset 10, expected "</i>", found "</b>"`],
    ["<script>alert(1)</script>", `Unsupported start tag "script" at byte offset 0`],
    ["привет <h1>x</h1>", `Unsupported start tag "h1" at byte offset 13`],
    ["👍<br>", `Unsupported start tag "br" at byte offset 4`],
    ["a < b", `Unsupported start tag "" at byte offset 2`],
    ["a <= b and c > d", `Unsupported start tag "=" at byte offset 2`],
    ["disk <85%", `Unclosed start tag at byte offset 5`],
    ["x</b>", `Unexpected end tag at byte offset 1`],
    ["<b>x</b", `Unclosed end tag at byte offset 4`],
    ["<b", `Unclosed start tag at byte offset 0`],
    ["<a href", `Unclosed start tag "a" at byte offset 0`],
    ["<a href=", `Unclosed start tag "a" at byte offset 0`],
    ["<a href='x", `Unclosed start tag at byte offset 0`],
    ["<a href=http://x.org>x</a>", `Unexpected end of name token at byte offset 8`],
    ["<a =x>x</a>", `Empty attribute name in the tag "a" at byte offset 0`],
    ["<span>x</span>", `Tag "span" must have class "tg-spoiler" at byte offset 0`],
    [`<tg-emoji emoji-id="9999999999999999999">x</tg-emoji>`, `Invalid custom emoji identifier specified`],
    [
      "&#xd83d;",
      "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units",
    ],
  ])("%s", (source, message) => {
    expect(() => parseHtml(source)).toThrow(expect.objectContaining({ message }));
  });
});

describe("HTML that Telegram reads", () => {
  test.each([
    ["&lt;&gt;&amp;&quot;", `<>&"`],
    ["&lt b &amp;lt;", "< b &lt;"],
    ["&nbsp;&apos;&copy;", "&nbsp;&apos;&copy;"],
    ["&#60;&#x3c;&#1087;", "<<п"],
    ["AT&T & more &", "AT&T & more &"],
    ["&#0;&#x110000;", "&#0;&#x110000;"],
    ["a > b", "a > b"],
    ["<B>x</B>", "x"],
    ["<b>x</>", "x"],
    ["<b >x</b\n>", "x"],
  ])("%s", (source, text) => {
    expect(parseHtml(source).text).toBe(text);
  });

  test.each([
    ["<b>b</b><strong>s</strong>", ["bold", "bold"]],
    ["<i>i</i><em>e</em>", ["italic", "italic"]],
    ["<u>u</u><ins>i</ins>", ["underline", "underline"]],
    ["<s>s</s><strike>s</strike><del>d</del>", ["strikethrough", "strikethrough", "strikethrough"]],
    ["<tg-spoiler>s</tg-spoiler><span class='tg-spoiler'>s</span>", ["spoiler", "spoiler"]],
    ["<blockquote>q</blockquote><blockquote expandable>q</blockquote>", ["blockquote", "expandable_blockquote"]],
    ["<pre>p</pre><code>c</code>", ["pre", "code"]],
    [`<a href="https://x.org/?a=1&amp;b=2">x</a><a>example.org</a>`, ["text_link", "text_link"]],
    [`<a href="not a link">x</a><b></b>`, []],
  ])("%s", (source, types) => {
    expect(parseHtml(source).entities.map((entity) => entity.type)).toEqual(types);
  });

  test("counts offsets in UTF-16 units", () => {
    expect(parseHtml("👍 <b>жир👍</b>!").entities).toEqual([{ type: "bold", offset: 3, length: 5 }]);
  });

  test("reads a code block with its language as one entity", () => {
    const expected = [{ type: "pre", offset: 0, length: 7, language: "bash" }];
    expect(parseHtml(`<pre><code class="language-bash">echo hi</code></pre>`).entities).toEqual(expected);
    expect(parseHtml(`<code class="language-bash"><pre>echo hi</pre></code>`).entities).toEqual(expected);
  });

  test("keeps links with their parameters and mentions people by id", () => {
    const { entities } = parseHtml(`<a href="https://x.org/?a=1&amp;b=2">x</a><a href="tg://user?id=42">y</a>`);
    expect(entities).toEqual([
      { type: "text_link", offset: 0, length: 1, url: "https://x.org/?a=1&b=2" },
      { type: "text_mention", offset: 1, length: 1, user: { id: 42, is_bot: false, first_name: "" } },
    ]);
  });
});

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const anyText = fc.string({ unit: "grapheme", maxLength: 200 });

property([anyText], "escaped text comes back as it was", (text) => {
  expect(parseHtml(escapeHtml(text))).toEqual({ text, entities: [] });
});

property(
  [fc.array(fc.tuple(fc.constantFrom("b", "i", "u", "s", "code", "tg-spoiler"), anyText))],
  "marked-up pieces keep text and offsets",
  (pieces) => {
    const { text, entities } = parseHtml(
      pieces.map(([tag, piece]) => `<${tag}>${escapeHtml(piece)}</${tag}>`).join(""),
    );
    expect(text).toBe(pieces.map(([, piece]) => piece).join(""));
    expect(entities.map((entity) => text.slice(entity.offset, entity.offset + entity.length))).toEqual(
      pieces.map(([, piece]) => piece).filter((piece) => piece !== ""),
    );
  },
);

property(
  [
    fc.string({
      unit: fc.constantFrom("<", ">", "/", "b", "a", " ", "=", '"', "'", "&", "#", "l", "t", ";", "п", "👍"),
      maxLength: 40,
    }),
  ],
  "no source makes it fail otherwise than by saying why",
  (source) => {
    try {
      expect(parseHtml(source).text.length).toBeLessThanOrEqual(source.length);
    } catch (error) {
      expect(error).toHaveProperty("name", "EntityParseError");
    }
  },
);
