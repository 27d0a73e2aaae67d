import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "./errors.ts";
import { checkLink } from "./links.ts";

type Json = Partial<Record<string, unknown>>;

const PLAIN_TYPES = new Set<string>([
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
  "blockquote",
  "expandable_blockquote",
  "code",
]);
const FOUND_BY_SERVER = new Set<string>([
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "date_time",
]);

/** Entities given beside the text. Those that the server finds by itself are ignored, as on Telegram. Throws 400. */
export function readEntities(value: unknown, text: string): MessageEntity[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: Json) => {
    const range = readRange(item, text);
    return range.length === 0 ? [] : readKind(item, range);
  });
}

function readRange({ type, offset, length }: Json, text: string): { offset: number; length: number } {
  if (typeof offset !== "number") throw wrong(`Can't find field "offset"`);
  if (typeof length !== "number") throw wrong(`Can't find field "length"`);
  if (typeof type !== "string") throw wrong(`Can't find field "type"`);
  if (offset < 0) throw badRequest(`receive an entity with incorrect offset ${offset}`);
  if (length < 0) throw badRequest(`receive an entity with incorrect length ${length}`);
  const end = offset + length;
  if (length > 0 && offset >= text.length) {
    throw badRequest(`entity begins after the end of the text at UTF-16 offset ${offset}`);
  }
  if (end > text.length) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${end}`,
    );
  }
  return { offset, length };
}

function readKind(item: Json, at: { offset: number; length: number }): MessageEntity[] {
  const { type, url, user, custom_emoji_id, language } = item;
  if (typeof type !== "string" || FOUND_BY_SERVER.has(type)) return [];
  switch (type) {
    case "text_link": {
      if (typeof url !== "string") throw wrong(`Can't find field "url"`);
      const link = checkLink(url);
      if (!link.ok) throw badRequest(`entity ${link.why}`);
      return [{ type, ...at, url: link.url }];
    }
    case "text_mention": {
      if (typeof user !== "object" || user === null) throw wrong(`Can't find field "user"`);
      return [{ type, ...at, user: { id: "id" in user ? Number(user.id) : 0, is_bot: false, first_name: "" } }];
    }
    case "custom_emoji":
      if (custom_emoji_id === undefined) throw wrong(`Can't find field "custom_emoji_id"`);
      if (!isEmojiId(custom_emoji_id)) throw wrong(`Field "custom_emoji_id" must be a valid Number`);
      return [{ type, ...at, custom_emoji_id }];
    case "pre":
      return [{ type, ...at, ...(typeof language === "string" ? { language } : {}) }];
    default:
      if (!PLAIN_TYPES.has(type)) throw wrong("Unsupported type specified");
      return [{ type, ...at } as MessageEntity.CommonMessageEntity];
  }
}

function wrong(why: string): Error {
  return badRequest(`can't parse MessageEntity: ${why}`);
}

/** Whether it is a positive 64-bit number in decimal digits. */
export function isEmojiId(id: unknown): id is string {
  return typeof id === "string" && /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= 0x7fffffffffffffffn;
}
