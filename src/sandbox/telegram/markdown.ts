import type { MessageEntity } from "@grammyjs/types";
import { EntityParseError, type ParsedText } from "./html.ts";
import { userIdOfLink, webLink } from "./links.ts";

type Kind =
  | "Bold"
  | "Italic"
  | "Underline"
  | "Strikethrough"
  | "Spoiler"
  | "Code"
  | "Pre"
  | "TextUrl"
  | "CustomEmoji"
  | "BlockQuote";

interface OpenEntity {
  readonly kind: Kind;
  readonly offset: number;
  /** Index in the source where it began, for the error's byte offset. */
  readonly begin: number;
  readonly language?: string;
}

const RESERVED = "_*[]()~`>#+-=|{}.!";
const MARKS: Readonly<Partial<Record<Kind, string>>> = {
  Bold: "*",
  Italic: "_",
  Underline: "__",
  Strikethrough: "~",
  Spoiler: "||",
  Code: "`",
  Pre: "```",
  TextUrl: "]",
  CustomEmoji: "]",
};
const TYPES = {
  Bold: "bold",
  Italic: "italic",
  Underline: "underline",
  Strikethrough: "strikethrough",
  Spoiler: "spoiler",
  Code: "code",
} as const;

/** Telegram's MarkdownV2. Throws `EntityParseError` with the real server's words; byte offsets count UTF-8 bytes. */
export function parseMarkdownV2(source: string): ParsedText {
  return new MarkdownParser(source).parse();
}

class MarkdownParser {
  readonly #source: string;
  #pos = 0;
  #text = "";
  readonly #open: OpenEntity[] = [];
  readonly #entities: MessageEntity[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  parse(): ParsedText {
    while (this.#pos < this.#source.length) this.#step();
    const open = this.#open.at(-1);
    if (open?.kind === "BlockQuote") this.#closeQuote(false);
    const unclosed = this.#open.at(-1);
    if (unclosed)
      throw new EntityParseError(
        `Can't find end of ${unclosed.kind} entity at byte offset ${this.#bytes(unclosed.begin)}`,
      );
    return { text: this.#text, entities: this.#entities };
  }

  #step(): void {
    const char = this.#source.charAt(this.#pos);
    const next = this.#source.charAt(this.#pos + 1);
    if (char === "\\" && next !== "" && next.charCodeAt(0) <= 126) {
      this.#take(next, 2);
      return;
    }
    const top = this.#open.at(-1);
    const inCode = top?.kind === "Code" || top?.kind === "Pre";
    if (inCode ? char !== "`" : !RESERVED.includes(char) && char !== "\n") {
      this.#take(char, 1);
      return;
    }
    if (char === "\n") this.#newline(top);
    else if (top && this.#ends(top)) this.#end(top);
    else if (inCode) this.#take(char, 1);
    else this.#begin(char, next);
  }

  #take(text: string, length: number): void {
    this.#text += text;
    this.#pos += length;
  }

  #newline(top: OpenEntity | undefined): void {
    if (top?.kind === "BlockQuote" && this.#source.charAt(this.#pos + 1) !== ">") {
      this.#closeQuote(false);
      this.#take("\n", 1);
      return;
    }
    // a quote goes on in the next line, whose mark is not part of the text
    this.#take("\n", top?.kind === "BlockQuote" ? 2 : 1);
  }

  #ends(top: OpenEntity): boolean {
    if (top.kind === "BlockQuote") {
      return this.#source.startsWith("||", this.#pos) && /^\|\|(?:\n(?!>)|$)/.test(this.#source.slice(this.#pos));
    }
    const mark = MARKS[top.kind] ?? "";
    if (!this.#source.startsWith(mark, this.#pos)) return false;
    return top.kind !== "Italic" || this.#source.charAt(this.#pos + 1) !== "_";
  }

  #end(top: OpenEntity): void {
    if (top.kind === "BlockQuote") {
      this.#pos += 2;
      this.#closeQuote(true);
      return;
    }
    this.#pos += (MARKS[top.kind] ?? "").length;
    this.#open.pop();
    const at = { offset: top.offset, length: this.#text.length - top.offset };
    if (top.kind === "TextUrl" || top.kind === "CustomEmoji") {
      this.#target(top, at);
      return;
    }
    if (at.length === 0) return;
    if (top.kind === "Pre")
      this.#entities.push({ type: "pre", ...at, ...(top.language ? { language: top.language } : {}) });
    else this.#entities.push({ type: TYPES[top.kind], ...at });
  }

  /** The `(...)` after `[text]` or `![emoji]`. */
  #target(top: OpenEntity, at: { offset: number; length: number }): void {
    let url = this.#text.slice(at.offset);
    if (this.#source.charAt(this.#pos) === "(") {
      const begin = this.#pos;
      url = "";
      this.#pos += 1;
      while (this.#pos < this.#source.length && this.#source.charAt(this.#pos) !== ")") {
        if (this.#source.charAt(this.#pos) === "\\") this.#pos += 1;
        url += this.#source.charAt(this.#pos);
        this.#pos += 1;
      }
      if (this.#pos >= this.#source.length) {
        const what = top.kind === "TextUrl" ? "a URL" : "a custom emoji URL";
        throw new EntityParseError(`Can't find end of ${what} at byte offset ${this.#bytes(begin + 1)}`);
      }
      this.#pos += 1;
    } else if (top.kind === "CustomEmoji") {
      throw new EntityParseError(`Custom emoji entity must contain a tg://emoji URL`);
    }
    if (at.length === 0) return;
    if (top.kind === "CustomEmoji") {
      const id = /^tg:\/\/emoji\?id=(\d+)$/.exec(url)?.[1];
      if (id === undefined) throw new EntityParseError(`Custom emoji URL must have an emoji identifier`);
      this.#entities.push({ type: "custom_emoji", ...at, custom_emoji_id: id });
      return;
    }
    const userId = userIdOfLink(url);
    const link = webLink(url);
    if (userId !== undefined)
      this.#entities.push({ type: "text_mention", ...at, user: { id: userId, is_bot: false, first_name: "" } });
    else if (link !== undefined) this.#entities.push({ type: "text_link", ...at, url: link });
  }

  #begin(char: string, next: string): void {
    if (char === "_") this.#push(next === "_" ? "Underline" : "Italic");
    else if (char === "*" && this.#source.startsWith("**>", this.#pos) && this.#atLineStart())
      this.#push("BlockQuote", 3);
    else if (char === "*") this.#push("Bold");
    else if (char === "~") this.#push("Strikethrough");
    else if (char === "|" && next === "|") this.#push("Spoiler");
    else if (char === "[") this.#push("TextUrl", 1);
    else if (char === "!" && next === "[") this.#push("CustomEmoji", 2);
    else if (char === ">" && this.#atLineStart()) this.#push("BlockQuote", 1);
    else if (char === "`" && this.#source.startsWith("```", this.#pos)) this.#pre();
    else if (char === "`") this.#push("Code");
    else throw new EntityParseError(`Character '${char}' is reserved and must be escaped with the preceding '\\'`);
  }

  #pre(): void {
    const begin = this.#pos;
    const head = /^```([^\s`]*)(\n?)/.exec(this.#source.slice(begin));
    const language = head?.[2] === "\n" ? (head[1] ?? "") : "";
    this.#pos += language !== "" || head?.[2] === "\n" ? (head?.[0].length ?? 3) : 3;
    this.#open.push({ kind: "Pre", offset: this.#text.length, begin, ...(language === "" ? {} : { language }) });
  }

  #push(kind: Kind, length = (MARKS[kind] ?? "").length): void {
    this.#open.push({ kind, offset: this.#text.length, begin: this.#pos });
    this.#pos += length;
  }

  #closeQuote(expandable: boolean): void {
    const open = this.#open.pop();
    if (!open || this.#text.length === open.offset) return;
    const type = expandable ? "expandable_blockquote" : "blockquote";
    this.#entities.push({ type, offset: open.offset, length: this.#text.length - open.offset });
  }

  #atLineStart(): boolean {
    return this.#text === "" || this.#text.endsWith("\n");
  }

  #bytes(index: number): number {
    return Buffer.byteLength(this.#source.slice(0, index));
  }
}
