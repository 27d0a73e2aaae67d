import { onTestFinished } from "vitest";
import { type SandboxOptions, startTelegramSandbox, type TelegramSandbox } from "../../src/sandbox/telegram/index.ts";

/** The bot, people and chats that the tests' sandbox knows unless they say otherwise. */
export const BOT = {
  token: "777000111:AAtestTokenOfTheSandbox-1234567890",
  username: "watch_bot",
  first_name: "Watch",
} as const;
export const BOT_ID = 777000111;
export const ALICE = { id: 111, is_bot: false, first_name: "Alice", username: "alice", label: "admin" };
export const BOB = { id: 222, is_bot: false, first_name: "Bob", label: "operator" };
export const EVE = { id: 666, is_bot: false, first_name: "Eve", label: "stranger" };
export const GROUP_ID = -4_000_777;
export const SUPERGROUP_ID = -1_001_000_000_777;
export const FORUM_ID = -1_001_000_000_888;
/** Topics of the forum. */
export const ALERTS_TOPIC = 12;
export const BACKUPS_TOPIC = 15;

const DEFAULTS: SandboxOptions = {
  bots: [BOT],
  users: [ALICE, BOB, EVE],
  chats: [
    { id: GROUP_ID, type: "group", title: "Ops (basic)", members: [ALICE.id, BOB.id, BOT_ID] },
    { id: SUPERGROUP_ID, type: "supergroup", title: "Ops", members: [ALICE.id, BOB.id, BOT_ID] },
    {
      id: FORUM_ID,
      type: "supergroup",
      title: "Ops forum",
      forum: true,
      members: [ALICE.id, BOB.id, BOT_ID],
      topics: [
        { name: "alerts", message_thread_id: ALERTS_TOPIC },
        { name: "backups", message_thread_id: BACKUPS_TOPIC },
      ],
    },
  ],
};

/** Starts a sandbox on a free port and closes it when the test is over. */
export async function testSandbox(options: Partial<SandboxOptions> = {}): Promise<TelegramSandbox> {
  const sandbox = await startTelegramSandbox({ ...DEFAULTS, ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** What the Bot API answers, with the HTTP status. */
export interface ApiAnswer {
  readonly status: number;
  readonly ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the result's shape depends on the method
  readonly result?: any;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

/** Calls a Bot API method with a JSON body, without any library. */
export async function callApi(
  sandbox: TelegramSandbox,
  method: string,
  params: object = {},
  token: string = BOT.token,
): Promise<ApiAnswer> {
  const response = await fetch(`${sandbox.apiRoot}/bot${token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(params),
  });
  return { status: response.status, ...((await response.json()) as Omit<ApiAnswer, "status">) };
}
