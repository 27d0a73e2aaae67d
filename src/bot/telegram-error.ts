import { GrammyError } from "grammy";

/** What a failed call means for whoever made it. */
export type TelegramFailure =
  | { readonly kind: "not-modified" }
  | { readonly kind: "retry-after"; readonly seconds: number }
  | { readonly kind: "migrated"; readonly chatId: number }
  | { readonly kind: "thread-gone" }
  | { readonly kind: "message-gone" }
  | { readonly kind: "unparsable" }
  | { readonly kind: "too-old" }
  /** The chat refuses us until a person changes something. */
  | { readonly kind: "permanent"; readonly reason: string }
  /** The request itself is wrong: repeating it cannot help. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** No answer, or one from something in between. `uncertain`: it may have been carried out. */
  | { readonly kind: "passing"; readonly reason: string; readonly uncertain: boolean };

/** Descriptions of 400 by what they mean; the texts are those of the Bot API server. */
const meanings: readonly (readonly [RegExp, (description: string) => TelegramFailure])[] = [
  [/message is not modified/i, () => ({ kind: "not-modified" })],
  [/message thread not found|TOPIC_(CLOSED|DELETED)/i, () => ({ kind: "thread-gone" })],
  [/message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i, () => ({ kind: "message-gone" })],
  [/can't parse entities/i, () => ({ kind: "unparsable" })],
  [/query is too old|query ID is invalid/i, () => ({ kind: "too-old" })],
  [
    /chat not found|not enough rights|have no rights|CHAT_WRITE_FORBIDDEN|PEER_ID_INVALID/i,
    (reason) => ({ kind: "permanent", reason }),
  ],
];

/** What a failed call of the Bot API means. */
export function readFailure(error: unknown): TelegramFailure {
  if (error instanceof GrammyError) return readAnswer(error);
  return { kind: "passing", reason: error instanceof Error ? error.message : String(error), uncertain: true };
}

/** True when Telegram does not know the token (any more): only the configuration can mend that. */
export function isTokenRefused(error: unknown): boolean {
  return error instanceof GrammyError && error.error_code === 401;
}

function readAnswer({ error_code: status, description, parameters }: GrammyError): TelegramFailure {
  if (status === 429) return { kind: "retry-after", seconds: parameters.retry_after ?? 5 };
  if (parameters.migrate_to_chat_id !== undefined) return { kind: "migrated", chatId: parameters.migrate_to_chat_id };
  if (status >= 500) return { kind: "passing", reason: description, uncertain: true };
  if (status === 403) return { kind: "permanent", reason: description };
  for (const [pattern, meaning] of meanings) if (pattern.test(description)) return meaning(description);
  // A token that was revoked, or an address that is no Bot API: mended in the configuration, not in the chat.
  if (status === 401 || status === 404) return { kind: "passing", reason: description, uncertain: false };
  return { kind: "rejected", reason: description };
}
