import type { Message } from "@grammyjs/types";
import { expect } from "vitest";
import type { ApiCall } from "../../src/sandbox/telegram/api.ts";
import { alice, botId, opsChat, type Stack } from "./stack.ts";

/** The labels and texts that a message shows now. */
export interface Shown {
  readonly text: string;
  readonly buttons: readonly string[];
}

/** Waits for what the bot writes into the same chat and topic after a message. */
export async function answerTo(stack: Stack, said: Message, pattern: RegExp, timeoutMs = 60_000): Promise<Message> {
  return await stack.sandbox.waitForMessage(
    said.chat.id,
    (message) =>
      message.from?.id === botId &&
      message.message_id > said.message_id &&
      message.message_thread_id === said.message_thread_id &&
      pattern.test(message.text ?? ""),
    { timeoutMs, what: `an answer like ${pattern} to "${said.text}"` },
  );
}

/** The message as it is in the chat now. */
export function now(stack: Stack, message: Message): Message {
  const found = stack.sandbox
    .messages(message.chat.id)
    .find((candidate) => candidate.message_id === message.message_id);
  if (!found) throw new Error(`message ${message.message_id} is no longer in the chat`);
  return found;
}

/** Waits until a message reads so; resolves with the message then. */
export async function becomes(stack: Stack, message: Message, pattern: RegExp, timeoutMs = 60_000): Promise<Message> {
  return await stack.sandbox.waitFor(
    () => {
      const current = now(stack, message);
      return pattern.test(current.text ?? "") ? current : undefined;
    },
    { timeoutMs, what: `message ${message.message_id} becoming ${pattern}` },
  );
}

/**
 * As `becomes`, however many edits that takes: their number depends on the machine, and sending budgets are not what this
 * is about. For a sandbox that enforces no limits.
 */
export async function becomesUnlimited(stack: Stack, message: Message, pattern: RegExp): Promise<Message> {
  const holds = async (): Promise<boolean> => {
    await emptyBudgets(stack);
    return pattern.test(now(stack, message).text ?? "");
  };
  await eventually(`message ${message.message_id} becoming ${pattern}`, holds);
  return now(stack, message);
}

export function shown(message: Message): Shown {
  const buttons = (message.reply_markup?.inline_keyboard ?? []).flat().map((button) => button.text);
  return { text: message.text ?? "", buttons };
}

/** Bot API calls after a sequence number that a person could notice: everything but looking for updates. */
export function callsSince(stack: Stack, seq: number): ApiCall[] {
  return stack.sandbox.calls(seq).filter((call) => call.method !== "getUpdates");
}

export function lastCall(stack: Stack): number {
  return stack.sandbox.calls().at(-1)?.seq ?? 0;
}

/** How many runs of a backup are on record. */
export async function runCount(stack: Stack, name = "shop"): Promise<number> {
  return await stack.client.zcard(`stack:v1:runs:${name}`);
}

/** Waits until a condition holds; asked again and again, since nothing tells of a change in Redis or in a folder. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 60_000) {
  await expect.poll(async () => await holds(), { timeout: timeoutMs, interval: 30, message: what }).toBe(true);
}

/** Empties the chats' sending budgets, ours and the sandbox's, as a minute of silence would. */
export async function aMinuteOfSilence(stack: Stack): Promise<void> {
  stack.sandbox.advance(61_000);
  await emptyBudgets(stack);
  // What the bot has sent meanwhile counts for neither, or only for ours: the sandbox would refuse what ours lets through.
  stack.sandbox.advance(61_000);
}

/** Empties our sending budgets only. */
async function emptyBudgets(stack: Stack): Promise<void> {
  const keys = await stack.client.keys("stack:v1:budget:*");
  if (keys.length > 0) await stack.client.del(...keys);
}

/** Ends the claims on messages in the chat: what a dead bot has claimed is free within seconds anyhow. */
export async function endClaims(stack: Stack): Promise<void> {
  for (const key of await stack.client.keys("stack:v1:placement:*"))
    if (await stack.client.hexists(key, "claimUntil")) await stack.client.hset(key, "claimUntil", "0");
}

/** Cancels what an earlier test has left under way or asked for and not confirmed, and waits for its end. */
export async function endRuns(stack: Stack): Promise<void> {
  const open = (): Message[] =>
    stack.sandbox
      .messages(opsChat)
      .filter((message) => message.from?.id === botId && shown(message).buttons.includes("Cancel"));
  for (const card of open()) await stack.press(alice.id, card, "Cancel");
  await stack.sandbox.waitFor(() => open().length === 0, { timeoutMs: 60_000, what: "the end of all runs" });
}

/** Every other answer to a second poller would show here. */
export function conflicts(stack: Stack): number {
  return stack.sandbox.calls().filter((call) => call.error_code === 409).length;
}

/** Keeps dumps of the database `shop` from going on until released: a table is locked, as by ALTER TABLE. */
export async function holdDumps(stack: Stack): Promise<() => Promise<void>> {
  const lock = stack.postgres.psql("shop", "BEGIN; LOCK TABLE orders; SELECT pg_sleep(600);").catch(() => undefined);
  await eventually("the table locked", async () => {
    const locks = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted";
    return (await stack.postgres.psql("shop", locks)) !== "0";
  });
  return async () => {
    const holder = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()";
    await stack.postgres.psql("postgres", `SELECT pg_terminate_backend(pid) FROM (${holder}) AS holder`);
    await lock;
  };
}

/** Waits until the bot has told Telegram that it handled all updates so far: a kill then brings none of them again. */
export async function settled(stack: Stack): Promise<void> {
  await stack.sandbox.waitFor(() => stack.sandbox.isPolled() && stack.sandbox.pendingUpdates() === 0, {
    what: "all updates confirmed",
    timeoutMs: 60_000,
  });
}
