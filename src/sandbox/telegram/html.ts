import type { MessageEntity } from "@grammyjs/types";
import { isEmojiId } from "./given-entities.ts";
import { userIdOfLink, webLink } from "./links.ts";

/** A text with what its mark-up became; offsets count UTF-16 code units. */
export interface ParsedText {
  readonly text: string;
  readonly entities: MessageEntity[];
}

/** A text that Telegram cannot read; the message is what follows "can't parse entities: ". */
export class EntityParseError extends Error {
  override name = "EntityParseError";
}

interface OpenTag {
  readonly name: string;
  readonly argument: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly offset: number;
}

const SIMPLE: Readonly<Record<string, "bold" | "italic" | "underline" | "strikethrough" | "spoiler">> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
  span: "spoiler",
};
const OTHER_TAGS = new Set(["a", "code", "pre", "blockquote", "tg-emoji", "tg-time"]);
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/**
 * Telegram's HTML dialect: a handful of tags, four named character references, strict nesting.
 * Throws `EntityParseError` with the real server's words; byte offsets count UTF-8 bytes of the source.
 */
export function parseHtml(source: string): ParsedText {
  return new HtmlParser(source).parse();
}

class HtmlParser {
  readonly #source: string;
  #pos = 0;
  #text = "";
  readonly #open: OpenTag[] = [];
  readonly #entities: MessageEntity[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  parse(): ParsedText {
    while (this.#pos < this.#source.length) {
      const char = this.#source.charAt(this.#pos);
      if (char === "<") this.#tag();
      else if (char === "&") this.#text += this.#reference();
      else {
        this.#text += char;
        this.#pos += 1;
      }
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) throw new EntityParseError(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
    if (!this.#text.isWellFormed()) {
      throw new EntityParseError(
        "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units",
      );
    }
    return { text: this.#text, entities: this.#entities };
  }

  /** Decodes a character reference at the cursor; what is none stays as it is, as on the real server. */
  #reference(): string {
    const match = /^&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));?/i.exec(this.#source.slice(this.#pos, this.#pos + 12));
    if (match) {
      const [whole, hex, decimal, name] = match;
      if (name !== undefined) {
        const char = NAMED[name];
        if (char !== undefined) {
          this.#pos += whole.length;
          return char;
        }
      } else {
        const code = hex === undefined ? Number.parseInt(decimal ?? "0", 10) : Number.parseInt(hex, 16);
        if (code > 0 && code < 0x10ffff && whole.replace(/;$/, "").length < 10) {
          this.#pos += whole.length;
          return String.fromCodePoint(code);
        }
      }
    }
    this.#pos += 1;
    return "&";
  }

  #tag(): void {
    const begin = this.#pos;
    if (this.#source.charAt(begin + 1) === "/") this.#endTag(begin);
    else this.#startTag(begin);
  }

  #startTag(begin: number): void {
    this.#pos = begin + 1;
    const name = this.#readUntil(/[ \t\r\n\v>]/).toLowerCase();
    if (this.#atEnd()) throw new EntityParseError(`Unclosed start tag at byte offset ${this.#bytes(begin)}`);
    if (!(name in SIMPLE) && !OTHER_TAGS.has(name)) {
      throw new EntityParseError(`Unsupported start tag "${name}" at byte offset ${this.#bytes(begin)}`);
    }
    const attributes = this.#attributes(name, begin);
    let argument = "";
    if (name === "a") argument = attributes.get("href") ?? "";
    if (name === "code" && attributes.get("class")?.startsWith("language-"))
      argument = attributes.get("class")?.slice(9) ?? "";
    if (name === "tg-emoji") argument = attributes.get("emoji-id") ?? "";
    if (name === "span" && attributes.get("class") !== "tg-spoiler") {
      throw new EntityParseError(`Tag "span" must have class "tg-spoiler" at byte offset ${this.#bytes(begin)}`);
    }
    this.#pos += 1;
    this.#open.push({ name, argument, attributes, offset: this.#text.length });
  }

  /** Reads attributes up to the closing `>`, which stays under the cursor. */
  #attributes(tag: string, begin: number): Map<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      this.#skipSpace();
      if (this.#source.charAt(this.#pos) === ">") return attributes;
      const name = this.#readUntil(/[ \t\r\n\v=>]/);
      if (name === "" && !this.#atEnd()) {
        throw new EntityParseError(`Empty attribute name in the tag "${tag}" at byte offset ${this.#bytes(begin)}`);
      }
      this.#skipSpace();
      if (this.#atEnd()) throw new EntityParseError(`Unclosed start tag "${tag}" at byte offset ${this.#bytes(begin)}`);
      if (this.#source.charAt(this.#pos) !== "=") {
        attributes.set(name, "");
        continue;
      }
      this.#pos += 1;
      this.#skipSpace();
      if (this.#atEnd()) throw new EntityParseError(`Unclosed start tag "${tag}" at byte offset ${this.#bytes(begin)}`);
      attributes.set(name, this.#attributeValue());
      if (this.#atEnd()) throw new EntityParseError(`Unclosed start tag at byte offset ${this.#bytes(begin)}`);
    }
  }

  #attributeValue(): string {
    const quote = this.#source.charAt(this.#pos);
    if (quote !== '"' && quote !== "'") {
      const begin = this.#pos;
      const value = this.#readUntil(/[^A-Za-z0-9.-]/).toLowerCase();
      if (!this.#atEnd() && !/[ \t\r\n\v>]/.test(this.#source.charAt(this.#pos))) {
        throw new EntityParseError(`Unexpected end of name token at byte offset ${this.#bytes(begin)}`);
      }
      return value;
    }
    this.#pos += 1;
    let value = "";
    while (!this.#atEnd() && this.#source.charAt(this.#pos) !== quote) {
      if (this.#source.charAt(this.#pos) === "&") value += this.#reference();
      else {
        value += this.#source.charAt(this.#pos);
        this.#pos += 1;
      }
    }
    this.#pos += 1;
    return value;
  }

  #endTag(begin: number): void {
    const open = this.#open.at(-1);
    if (!open) throw new EntityParseError(`Unexpected end tag at byte offset ${this.#bytes(begin)}`);
    this.#pos = begin + 2;
    const name = this.#readUntil(/[ \t\r\n\v>]/).toLowerCase();
    this.#skipSpace();
    if (this.#source.charAt(this.#pos) !== ">")
      throw new EntityParseError(`Unclosed end tag at byte offset ${this.#bytes(begin)}`);
    if (name !== "" && name !== open.name) {
      throw new EntityParseError(
        `Unmatched end tag at byte offset ${this.#bytes(begin)}, expected "</${open.name}>", found "</${name}>"`,
      );
    }
    this.#pos += 1;
    this.#open.pop();
    if (this.#text.length > open.offset) this.#close(open);
  }

  #close(open: OpenTag): void {
    const at = { offset: open.offset, length: this.#text.length - open.offset };
    const simple = SIMPLE[open.name];
    if (simple !== undefined) this.#entities.push({ type: simple, ...at });
    else if (open.name === "a") this.#link(open, at);
    else if (open.name === "pre" || open.name === "code") this.#code(open, at);
    else if (open.name === "blockquote") {
      this.#entities.push({ type: open.attributes.has("expandable") ? "expandable_blockquote" : "blockquote", ...at });
    } else if (open.name === "tg-emoji") {
      if (!isEmojiId(open.argument)) {
        throw new EntityParseError("Invalid custom emoji identifier specified");
      }
      this.#entities.push({ type: "custom_emoji", ...at, custom_emoji_id: open.argument });
    }
    // tg-time is a hint for clients only: its text stays
  }

  #link(open: OpenTag, at: { offset: number; length: number }): void {
    const url = open.argument || this.#text.slice(at.offset);
    const userId = userIdOfLink(url);
    const link = webLink(url);
    if (userId !== undefined)
      this.#entities.push({ type: "text_mention", ...at, user: { id: userId, is_bot: false, first_name: "" } });
    else if (link !== undefined) this.#entities.push({ type: "text_link", ...at, url: link });
  }

  /** `<pre><code class="language-x">` (in either order) is one `pre` with a language. */
  #code(open: OpenTag, at: { offset: number; length: number }): void {
    const last = this.#entities.at(-1);
    const same = last !== undefined && last.offset === at.offset && last.length === at.length;
    const inner = this.#languages.get(last);
    if (open.name === "pre") {
      if (same && last.type === "code" && inner !== undefined)
        this.#entities.splice(-1, 1, { type: "pre", ...at, language: inner });
      else this.#entities.push({ type: "pre", ...at });
    } else if (same && last.type === "pre" && open.argument !== "") {
      this.#entities.splice(-1, 1, { type: "pre", ...at, language: open.argument });
    } else {
      const entity: MessageEntity = { type: "code", ...at };
      if (open.argument !== "") this.#languages.set(entity, open.argument);
      this.#entities.push(entity);
    }
  }
  readonly #languages = new Map<MessageEntity | undefined, string>();

  #readUntil(stop: RegExp): string {
    const begin = this.#pos;
    while (!this.#atEnd() && !stop.test(this.#source.charAt(this.#pos))) this.#pos += 1;
    return this.#source.slice(begin, this.#pos);
  }

  #skipSpace(): void {
    while (!this.#atEnd() && /[ \t\r\n\v]/.test(this.#source.charAt(this.#pos))) this.#pos += 1;
  }

  #atEnd(): boolean {
    return this.#pos >= this.#source.length;
  }

  #bytes(index: number): number {
    return Buffer.byteLength(this.#source.slice(0, index));
  }
}
