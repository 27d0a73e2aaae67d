/**
 * The sandbox's own HTTP surface beside the Bot API: what the web chat, tests and demos talk to.
 * Objects that Telegram defines (`Message`, `User`, `Chat`, `CallbackQuery`) have Telegram's shapes.
 *
 * | Method and path | Body -> answer |
 * |---|---|
 * | `GET /` , `GET /webchat/*` | the web chat (static files) |
 * | `GET /sandbox/state` | -> `SandboxState` |
 * | `GET /sandbox/events` | Server-Sent Events; each `data:` is one `SandboxEvent`; `id:` is its sequence number and `Last-Event-ID` (or `?since=`) resumes |
 * | `POST /sandbox/chats/:chatId/messages` | `SendAsUser` -> `Message` |
 * | `POST /sandbox/chats/:chatId/callbacks` | `PressAsUser` -> `PressResult` |
 * | `DELETE /sandbox/chats/:chatId/messages/:messageId?from=` | a person deletes a message by hand -> `true` |
 * | `GET /sandbox/chats/:chatId/transcript` | -> `TranscriptEntry[]`; `?format=text` -> text/plain for people |
 * | `POST /sandbox/chats/:chatId/migrate` | group becomes supergroup -> `{ newChatId }` |
 * | `POST /sandbox/chats/:chatId/members` | `{ user, status: "member" \| "left" \| "kicked" \| "administrator" }` -> `true` (also of the bot: blocks, kicks) |
 * | `POST /sandbox/chats/:chatId/topics` | `{ name }` -> `SandboxTopic` |
 * | `PATCH`, `DELETE /sandbox/chats/:chatId/topics/:threadId` | `{ closed }` -> `true` |
 * | `GET /sandbox/calls?since=` | -> `ApiCall[]`: every Bot API call with method, params and answer |
 * | `POST /sandbox/clock` | `{ advanceMs }` or `{ now: ISO }` -> `{ now }` |
 * | `GET /sandbox/faults`, `POST /sandbox/faults`, `DELETE /sandbox/faults[/:id]` | `Fault` -> `{ id }` |
 * | `GET /sandbox/files/:fileId` | bytes of a photo or document, with its content type and name |
 *
 * In a private chat `:chatId` is the id of the person; with several bots `<user>@<bot>` means another than the first one.
 * Errors: `{ ok: false, error: "one line" }` with status 400 or 404.
 */
import type { BotCommand, Chat, InlineKeyboardButton, Message, User } from "@grammyjs/types";

/** A person of the sandbox. `label` is shown in the web chat's switch ("admin", "stranger"). */
export interface SandboxUser extends User {
  readonly label?: string;
}

export interface SandboxTopic {
  readonly message_thread_id: number;
  readonly name: string;
  readonly closed?: boolean;
}

export interface SandboxChat {
  readonly chat: Chat;
  readonly topics: readonly SandboxTopic[];
  /** Ids of the people and bots that are in it. */
  readonly members: readonly number[];
  /** Those of them who are administrators. */
  readonly administrators?: readonly number[];
}

export interface SandboxBot {
  readonly user: User;
  /** What `setMyCommands` set, per scope and language; key as Telegram's scope JSON plus language. */
  readonly commands: Readonly<Record<string, readonly BotCommand[]>>;
  readonly privacyMode: boolean;
}

export interface SandboxState {
  readonly now: string;
  readonly users: readonly SandboxUser[];
  readonly bots: readonly SandboxBot[];
  readonly chats: readonly SandboxChat[];
  /** The newest messages of every chat, oldest first, at most 200 each. */
  readonly messages: Readonly<Record<string, readonly Message[]>>;
  /** Sequence number of the last event contained in this state: resume the event stream from here. */
  readonly seq: number;
}

export interface SendAsUser {
  readonly from: number;
  readonly text: string;
  readonly message_thread_id?: number;
  readonly reply_to_message_id?: number;
  /** Unix seconds; to put a message into the past, as after an outage. Default: the sandbox's clock. */
  readonly date?: number;
  /** Sends as an anonymous admin (`from` GroupAnonymousBot, `sender_chat` set). */
  readonly anonymous?: boolean;
  readonly forwarded?: boolean;
  /** Edits this earlier message of the same person instead of sending a new one. */
  readonly edit_message_id?: number;
}

export interface PressAsUser {
  readonly from: number;
  readonly message_id: number;
  /** `callback_data` of the button. A press of data that the message does not carry is refused unless `force`. */
  readonly data: string;
  readonly force?: boolean;
  /** Milliseconds by which the query is already old when the bot gets it (answering then fails as on Telegram). */
  readonly ageMs?: number;
  /** Wait up to this long for the bot's `answerCallbackQuery`; default 0: answer at once. */
  readonly waitMs?: number;
}

export interface PressResult {
  readonly callback_query_id: string;
  /** Present when the bot answered within `waitMs`. */
  readonly answer?: CallbackAnswer;
}

export interface CallbackAnswer {
  readonly text?: string;
  readonly show_alert?: boolean;
  readonly url?: string;
}

export type SandboxEvent =
  | { readonly type: "message"; readonly message: Message }
  | { readonly type: "edited"; readonly message: Message }
  | { readonly type: "deleted"; readonly chat_id: number; readonly message_id: number }
  | {
      readonly type: "callback_answer";
      readonly chat_id: number;
      readonly message_id: number;
      readonly user_id: number;
      readonly callback_query_id: string;
      readonly answer: CallbackAnswer;
    }
  | { readonly type: "chat_action"; readonly chat_id: number; readonly action: string }
  | { readonly type: "commands"; readonly bot_id: number }
  | { readonly type: "chats" }
  | { readonly type: "clock"; readonly now: string };

/** One thing that happened in a chat, in order; `at` is the sandbox's clock, ISO 8601. */
export type TranscriptEntry = {
  readonly seq: number;
  readonly at: string;
  readonly chat_id: number;
  readonly message_thread_id?: number;
  readonly message_id?: number;
  readonly by: string;
} & (
  | {
      readonly kind: "message" | "edit";
      readonly text: string;
      readonly buttons?: readonly (readonly InlineKeyboardButton[])[];
      readonly file?: {
        readonly kind: "photo" | "document";
        readonly file_id: string;
        readonly file_name?: string;
        readonly bytes: number;
      };
    }
  | { readonly kind: "delete" }
  | { readonly kind: "press"; readonly button: string }
  | { readonly kind: "toast"; readonly text: string; readonly alert: boolean }
);

export interface ApiCall {
  readonly seq: number;
  readonly at: string;
  readonly bot_id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly ok: boolean;
  readonly error_code?: number;
  readonly description?: string;
  readonly result?: unknown;
}

/**
 * What goes wrong on purpose. `methods` limits it (default all), `chatId` too, `times` ends it after so many calls,
 * `afterMs`/`forMs` bound it on the sandbox's clock.
 * - `blackhole`: the connection stays open and nothing is answered; `reset`: it is closed at once;
 * - `lost-answer`: the call is carried out, then the connection is reset;
 * - `status`: answers this status with Telegram's error JSON, or `html` for an edge's HTML page;
 * - `retry-after`: 429 with `parameters.retry_after`; - `slow`: answers after `delayMs`.
 */
export interface Fault {
  readonly kind: "blackhole" | "reset" | "lost-answer" | "status" | "retry-after" | "slow";
  readonly methods?: readonly string[];
  readonly chatId?: number;
  readonly times?: number;
  readonly afterMs?: number;
  readonly forMs?: number;
  readonly status?: number;
  readonly html?: boolean;
  readonly retryAfter?: number;
  readonly delayMs?: number;
}
