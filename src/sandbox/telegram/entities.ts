import type { MessageEntity, User } from "@grammyjs/types";
import { badRequest } from "./errors.ts";
import { readEntities } from "./given-entities.ts";
import { EntityParseError, type ParsedText, parseHtml } from "./html.ts";
import { parseMarkdownV2 } from "./markdown.ts";
import type { Params } from "./params.ts";

const AUTOMATIC: readonly [MessageEntity.CommonMessageEntity["type"], RegExp][] = [
  [
    "url",
    /(?<![\w@./])(?:https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'»]|(?:[a-z0-9-]+\.)+(?:com|org|net|io|ru|dev|me|info|cloud)(?:\/[^\s<>"]*[^\s<>".,;:!?)\]}'»])?(?![\w.-]))/giu,
  ],
  ["email", /(?<![\w.@])[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu],
  ["bot_command", /(?<![\p{L}\p{N}_/<>@])\/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\p{L}\p{N}_/])/gu],
  ["mention", /(?<![\p{L}\p{N}_@/.])@[A-Za-z][A-Za-z0-9_]{2,31}(?![\p{L}\p{N}_])/gu],
  ["hashtag", /(?<![\p{L}\p{N}_#@])#[\p{L}\p{N}_]*[\p{L}_][\p{L}\p{N}_]*/gu],
];
const CLOSED_TO_OTHERS = new Set(["code", "pre", "text_link", "text_mention", "custom_emoji"]);
const ORDER = [
  "expandable_blockquote",
  "blockquote",
  "text_link",
  "text_mention",
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
  "pre",
  "code",
];

/** Entities that Telegram finds by itself: links, mail addresses, commands, mentions, hashtags. */
export function detectEntities(text: string, present: readonly MessageEntity[] = []): MessageEntity[] {
  const found: MessageEntity[] = [];
  const taken = present.filter((entity) => CLOSED_TO_OTHERS.has(entity.type));
  for (const [type, pattern] of AUTOMATIC) {
    for (const match of text.matchAll(pattern)) {
      const entity = { type, offset: match.index, length: match[0].length };
      if (![...taken, ...found].some((other) => overlap(other, entity))) found.push(entity);
    }
  }
  return sortEntities([...present, ...found]);
}

/** What goes beyond is not formatted: Telegram ignores it without a word. */
const MAX_ENTITIES = 100;

/** Which text parameters a method has and what its limits are called. */
export interface TextRules {
  readonly field: "text" | "caption";
  readonly entitiesField: "entities" | "caption_entities";
  /** UTF-16 code units after parsing. */
  readonly limit: number;
  readonly allowEmpty: boolean;
  /** What is answered to a longer one. */
  readonly tooLong: string;
}

export const TEXT_RULES: TextRules = {
  field: "text",
  entitiesField: "entities",
  limit: 4096,
  allowEmpty: false,
  tooLong: "message is too long",
};
/** The server words it differently when a message is edited. */
export const EDITED_TEXT_RULES: TextRules = { ...TEXT_RULES, tooLong: "MESSAGE_TOO_LONG" };
export const CAPTION_RULES: TextRules = {
  field: "caption",
  entitiesField: "caption_entities",
  limit: 1024,
  allowEmpty: true,
  tooLong: "message caption is too long",
};

/**
 * Reads a text or caption with its `parse_mode` or entities: parsed, cleaned and trimmed as Telegram does.
 * Throws 400 with Telegram's words. `findUser` fills in mentioned people.
 */
export function readText(params: Params, rules: TextRules, findUser: (id: number) => User | undefined): ParsedText {
  const raw = params.text(rules.field);
  if (raw === "" && !rules.allowEmpty) throw badRequest("message text is empty");
  const parsed = parse(raw, params, rules);
  const mentioned = parsed.entities.flatMap((entity): MessageEntity[] => {
    if (entity.type !== "text_mention") return [entity];
    const user = findUser(entity.user.id);
    return user ? [{ ...entity, user }] : [];
  });
  const clean = tidy({ text: parsed.text, entities: mentioned });
  if (clean.text === "" && !rules.allowEmpty) throw badRequest("text must be non-empty");
  if (clean.text.length > rules.limit) throw badRequest(rules.tooLong);
  return { text: clean.text, entities: detectEntities(clean.text, clean.entities).slice(0, MAX_ENTITIES) };
}

function parse(raw: string, params: Params, rules: TextRules): ParsedText {
  const mode = params.text("parse_mode").toLowerCase();
  if (mode === "" || mode === "none")
    return { text: raw, entities: readEntities(params.json(rules.entitiesField, "MessageEntities"), raw) };
  try {
    if (mode === "html") return parseHtml(raw);
    if (mode === "markdownv2") return parseMarkdownV2(raw);
  } catch (error) {
    if (error instanceof EntityParseError) throw badRequest(`can't parse entities: ${error.message}`);
    throw error;
  }
  if (mode === "markdown") {
    throw badRequest("the sandbox does not speak the legacy parse_mode Markdown; use HTML or MarkdownV2");
  }
  throw badRequest("unsupported parse_mode");
}

/** Removes control characters and surrounding white space; entities are clipped to what is left. */
function tidy(parsed: ParsedText): ParsedText {
  // carriage returns vanish, other control characters become spaces: both before offsets are compared
  const kept: number[] = [];
  let text = "";
  for (let i = 0; i <= parsed.text.length; i += 1) {
    kept.push(text.length);
    const char = parsed.text.charAt(i);
    if (char !== "\r") text += char !== "" && char < " " && char !== "\n" ? " " : char;
  }
  const start = text.length - text.trimStart().length;
  const end = Math.max(start, text.trimEnd().length);
  const entities = parsed.entities.flatMap((entity): MessageEntity[] => {
    const from = Math.max(start, kept[entity.offset] ?? 0);
    const to = Math.min(end, kept[entity.offset + entity.length] ?? text.length);
    return to > from ? [{ ...entity, offset: from - start, length: to - from }] : [];
  });
  return { text: text.slice(start, end), entities: sortEntities(withoutNestedInCode(entities)) };
}

const SPLITTABLE = new Set(["bold", "italic", "underline", "strikethrough", "spoiler"]);

/** Nothing can be formatted inside code and pre: Telegram drops what is nested there and cuts what surrounds it. */
function withoutNestedInCode(entities: readonly MessageEntity[]): MessageEntity[] {
  const blocks = entities.filter((entity) => entity.type === "code" || entity.type === "pre");
  return entities.flatMap((entity): MessageEntity[] => {
    if (blocks.includes(entity)) return [entity];
    if (!SPLITTABLE.has(entity.type)) {
      const inside = blocks.some(
        (block) => entity.offset >= block.offset && entity.offset + entity.length <= block.offset + block.length,
      );
      return inside && entity.type !== "blockquote" && entity.type !== "expandable_blockquote" ? [] : [entity];
    }
    let pieces: MessageEntity[] = [entity];
    for (const block of blocks) pieces = pieces.flatMap((piece) => subtract(piece, block));
    return pieces;
  });
}

function subtract(entity: MessageEntity, block: { offset: number; length: number }): MessageEntity[] {
  if (!overlap(entity, block)) return [entity];
  const blockEnd = block.offset + block.length;
  const end = entity.offset + entity.length;
  return [
    ...(entity.offset < block.offset ? [{ ...entity, length: block.offset - entity.offset }] : []),
    ...(end > blockEnd ? [{ ...entity, offset: blockEnd, length: end - blockEnd }] : []),
  ];
}

function overlap(a: { offset: number; length: number }, b: { offset: number; length: number }): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

function sortEntities(entities: readonly MessageEntity[]): MessageEntity[] {
  return entities.toSorted(
    (a, b) => a.offset - b.offset || b.length - a.length || ORDER.indexOf(a.type) - ORDER.indexOf(b.type),
  );
}
