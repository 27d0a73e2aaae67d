import { GrammyError, HttpError } from "grammy";

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

/** Reads Telegram's answer; the texts are those of the Bot API server. */
export function readFailure(error: unknown): TelegramFailure {
  if (error instanceof GrammyError) {
    const { error_code: status, description, parameters } = error;
    if (status === 429) return { kind: "retry-after", seconds: parameters.retry_after ?? 5 };
    if (parameters.migrate_to_chat_id !== undefined) return { kind: "migrated", chatId: parameters.migrate_to_chat_id };
    if (status >= 500) return { kind: "passing", reason: description, uncertain: true };
    if (status === 403) return { kind: "permanent", reason: description };
    if (/message is not modified/i.test(description)) return { kind: "not-modified" };
    if (/message thread not found|TOPIC_(CLOSED|DELETED)/i.test(description)) return { kind: "thread-gone" };
    if (/message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i.test(description)) return { kind: "message-gone" };
    if (/can't parse entities/i.test(description)) return { kind: "unparsable" };
    if (/query is too old|query ID is invalid/i.test(description)) return { kind: "too-old" };
    if (/chat not found|not enough rights|have no rights|CHAT_WRITE_FORBIDDEN|PEER_ID_INVALID/i.test(description)) return { kind: "permanent", reason: description };
    if (status === 401 || status === 404) return { kind: "passing", reason: description, uncertain: false };
    return { kind: "rejected", reason: description };
  }
  if (error instanceof HttpError) return { kind: "passing", reason: error.message, uncertain: true };
  return { kind: "passing", reason: error instanceof Error ? error.message : String(error), uncertain: true };
}
