import type { SandboxUser } from "./api.ts";
import type { ClockOptions } from "./clock.ts";

export interface BotOptions {
  /** `<id>:<secret>`, as Telegram's tokens. */
  readonly token: string;
  readonly username: string;
  readonly first_name: string;
  /** Default true: in groups the bot sees only what is meant for it. */
  readonly privacyMode?: boolean;
  /** Default: the number at the start of the token. */
  readonly id?: number;
}

export interface ChatOptions {
  /** Default: a free id in Telegram's range for the type. */
  readonly id?: number;
  readonly type: "private" | "group" | "supergroup";
  readonly title?: string;
  readonly username?: string;
  readonly forum?: boolean;
  /** Topics of a forum; the id defaults to the id of the message that created it. */
  readonly topics?: readonly (string | { readonly name: string; readonly message_thread_id?: number })[];
  /** Ids of people and bots. */
  readonly members: readonly number[];
  /** Those of them who are administrators. */
  readonly administrators?: readonly number[];
}

/** Sending budgets; a refused call counts for nothing. */
export interface LimitOptions {
  /** Default true. */
  readonly enforce?: boolean;
  /** Sends and edits together in one group within 60 s; default 20. */
  readonly groupPerMinute?: number;
  /** Steady rate of one private chat; default 1. */
  readonly privatePerSecond?: number;
  /** How many messages a private chat takes at once after a rest; default 20. */
  readonly privateBurst?: number;
  /** Whole bot; default 30. */
  readonly botPerSecond?: number;
}

export interface SandboxOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly bots: readonly BotOptions[];
  readonly users: readonly SandboxUser[];
  readonly chats: readonly ChatOptions[];
  /** Where the clock starts, or how it runs; default: the machine's time. */
  readonly now?: Date | ClockOptions;
  readonly limits?: LimitOptions;
  /** First pause before a webhook delivery is repeated, in milliseconds; doubles up to a minute. Default 250. */
  readonly webhookRetryMs?: number;
  /** How many calls and events are remembered; default 10,000 each. */
  readonly keep?: number;
}
