import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainText, shorten, textLength, textLimit } from "../../src/bot/html.ts";
import { escapeHtml, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";

const note = messagesOf("en").plain("card-cut");

/** What a person, a database or a tool's error output may contain. */
const content = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(
    "<",
    ">",
    "&",
    '"',
    "</pre>",
    "<b>",
    "&lt;",
    "&amp;amp;",
    "&#60;",
    "👩‍👩‍👧‍👦",
    "🕓",
    "é",
    "\u0000",
    "\n\n",
    "-->",
  ),
  // long enough to be cut
  fc
    .tuple(fc.constantFrom("x", "<", "&", "🕓", '"', "<b>&", "\n"), fc.integer({ min: 1, max: 9000 }))
    .map(([unit, length]) => unit.repeat(length).slice(0, 9000).toWellFormed()),
);
const wrap = fc.constantFrom<(inner: string) => string>(
  (inner) => inner,
  (inner) => `<b>${inner}</b>`,
  (inner) => `<code>${inner}</code>`,
  (inner) => `<pre>${inner}</pre>`,
  (inner) => `<a href="https://example.org/?a=1&amp;b=2">${inner}</a>`,
  (inner) => `<blockquote expandable>${inner}</blockquote>`,
  (inner) => `<pre><code class="language-sql">${inner}</code></pre>`,
  (inner) => `<tg-spoiler><i>${inner}</i></tg-spoiler>`,
);
/** Our own kind of HTML: what is interpolated is escaped, the tags are the messages'. */
const ours = fc.array(fc.tuple(wrap, content), { minLength: 1, maxLength: 8 }).map((pieces) => ({
  html: pieces.map(([tag, text]) => tag(escapeHtml(text))).join("\n"),
  text: pieces.map(([, text]) => text.toWellFormed()).join("\n"),
}));

describe("our HTML", () => {
  test("always counts as many characters as Telegram's parser finds", () => {
    fc.assert(
      fc.property(ours, ({ html, text }) => {
        expect(textLength(html)).toBe(parseHtml(html).text.length);
        expect(textLength(html)).toBe(text.length);
      }),
      { numRuns: 120 },
    );
  });

  test("is still HTML after it was shortened, and fits", () => {
    fc.assert(
      fc.property(ours, fc.integer({ min: 60, max: textLimit }), ({ html }, limit) => {
        const short = shorten(html, note, limit);
        expect(parseHtml(short.html).text.length).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 150 },
    );
  });

  test("is left as it is when it fits, else cut at the end and nowhere else", () => {
    fc.assert(
      fc.property(ours, ({ html, text }) => {
        const short = shorten(html, note);
        const fits = text.length <= textLimit;
        expect(short.cut).toBe(!fits);
        const end = fits ? "" : `…\n${note}`;
        const shown = parseHtml(short.html).text;
        expect(shown.endsWith(end)).toBe(true);
        expect(text.startsWith(shown.slice(0, shown.length - end.length))).toBe(true);
        // No more is left out than has to be: one character may take two units.
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(text.length, textLimit - 1));
      }),
      { numRuns: 120 },
    );
  });

  test("gives back the whole text for the file", () => {
    fc.assert(
      fc.property(ours, ({ html, text }) => {
        expect(plainText(html)).toBe(text);
      }),
      { numRuns: 120 },
    );
  });

  test("keeps the formatting of what is cut in the middle of nested tags", () => {
    const short = shorten(`<b>Title</b>\n<pre><code class="language-sql">${"y".repeat(5000)}</code></pre>`, note);
    const parsed = parseHtml(short.html);
    expect(parsed.text.length).toBe(textLimit);
    expect(parsed.entities.map((entity) => entity.type)).toEqual(["bold", "pre"]);
  });

  test("says what is missing in a note that may itself contain markup characters", () => {
    const parsed = parseHtml(shorten("z".repeat(5000), 'see <file> & "rest"').html);
    expect(parsed.text.endsWith('see <file> & "rest"')).toBe(true);
  });

  test("is not cut at exactly the limit, and is one beyond it", () => {
    expect(shorten("a".repeat(textLimit), note).cut).toBe(false);
    expect(shorten("a".repeat(textLimit + 1), note).cut).toBe(true);
    expect(shorten("&lt;".repeat(textLimit), note).cut).toBe(false);
    expect(shorten("🕓".repeat(textLimit / 2), note).cut).toBe(false);
    expect(shorten(`🕓${"🕓".repeat(textLimit / 2)}`, note).cut).toBe(true);
  });

  test("replaces halves of characters, which Telegram refuses", () => {
    expect(parseHtml(escapeHtml("a\ud83d b\udd53")).text).toBe("a\ufffd b\ufffd");
  });
});
