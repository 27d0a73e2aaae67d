import { describe, expect, test } from "vitest";
import type { Deps } from "../../src/app/deps.ts";
import type { Message, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { Keys } from "../../src/state/redis.ts";
import { type BotOptions, type BotWorld, startWholeBot } from "../support/bot.ts";
import { buttonsOf, dataOf } from "../support/delivery.ts";
import { ALICE, BOB, BOT_ID, GROUP_ID, SUPERGROUP_ID } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();

/** A whole bot in this process, with one configured chat; no worker. */
const startBot = (chatId: number, options: BotOptions = {}): Promise<BotWorld> =>
  startWholeBot(fixture, chatId, options);

const order = async (deps: Deps, source: string): Promise<string> =>
  (await deps.orders.request({ name: "app", trigger: "chat", source, requestedBy: { id: ALICE.id, name: "alice" } }))
    .run.id;

const cardOf = async (sandbox: TelegramSandbox, chat: number, run: string, text = /is waiting/): Promise<Message> =>
  await sandbox.waitForMessage(chat, (message) => text.test(message.text ?? "") && (message.text ?? "").includes(run), {
    timeoutMs: 60_000,
  });

describe("a group that becomes a supergroup", () => {
  test("is still the configured chat: its cards come anew, its commands and presses are accepted", async () => {
    const { sandbox, deps } = await startBot(GROUP_ID);
    const run = await order(deps, "one");
    const before = await cardOf(sandbox, GROUP_ID, run);
    const supergroup = sandbox.migrate(GROUP_ID);
    await deps.runs.update(run, "reply", deps.clock.now(), (current) => ({ ...current, waitsFor: "another" }));
    const card = await cardOf(sandbox, supergroup, run, /Waiting for run another/);
    expect(card.chat.id).not.toBe(before.chat.id);
    sandbox.sendAsUser(supergroup, { from: ALICE.id, text: "/whoami" });
    await sandbox.waitForMessage(supergroup, (message) => message.text?.startsWith("alice: id 111") === true, {
      timeoutMs: 60_000,
    });
    const { answer } = await sandbox.press(supergroup, {
      from: ALICE.id,
      message_id: card.message_id,
      data: dataOf(card),
      waitMs: 5000,
    });
    expect(answer?.text).toBe("Stopping…");
    await cardOf(sandbox, supergroup, run, /was cancelled/);
  });

  test("keeps its language, and the admins are told to write its new id down", async () => {
    const { sandbox, deps } = await startBot(GROUP_ID, { locale: "ru" });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
    const run = await order(deps, "one");
    await cardOf(sandbox, GROUP_ID, run, /ждёт очереди/);
    const supergroup = sandbox.migrate(GROUP_ID);
    await deps.runs.update(run, "reply", deps.clock.now(), (current) => ({ ...current, waitsFor: "another" }));
    await cardOf(sandbox, supergroup, run, /ждёт очереди/);
    const told = await sandbox.waitForMessage(ALICE.id, ({ text }) => /new id/.test(text ?? ""), { timeoutMs: 60_000 });
    expect(told.text).toContain(`replace ${GROUP_ID} by ${supergroup}`);
    expect(told.text).toContain("The chat ops");
  });

  test("that only learns of it by a command is served at once as well", async () => {
    const { sandbox, deps } = await startBot(GROUP_ID);
    const run = await order(deps, "one");
    await cardOf(sandbox, GROUP_ID, run);
    const supergroup = sandbox.migrate(GROUP_ID);
    sandbox.sendAsUser(supergroup, { from: ALICE.id, text: "/whoami" });
    await sandbox.waitForMessage(supergroup, (message) => message.text?.startsWith("alice: id 111") === true, {
      timeoutMs: 60_000,
    });
    expect(await deps.cards.resolveChat(GROUP_ID)).toBe(supergroup);
  });
});

describe("a chat that has thrown the bot out", () => {
  test("is said in the admins' private chats, and gets what it missed as soon as somebody writes there again", async () => {
    const { sandbox, deps } = await startBot(SUPERGROUP_ID);
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
    await sandbox.waitForMessage(ALICE.id, (message) => message.from?.id === BOT_ID);
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "kicked");
    const run = await order(deps, "one");
    await sandbox.waitForMessage(ALICE.id, ({ text }) => /refuses to deliver to the chat ops/.test(text ?? ""), {
      timeoutMs: 60_000,
    });
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "member");
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/whoami" });
    await cardOf(sandbox, SUPERGROUP_ID, run);
    expect(await deps.cards.disabledChats()).toEqual(new Map());
  });
});

describe("a chat that has refused the bot", () => {
  test("gets what it missed when somebody who is not listed lets the bot in again", async () => {
    const chat = { id: SUPERGROUP_ID, type: "supergroup", title: "Ops", members: [BOB.id, BOT_ID] } as const;
    const { sandbox, deps } = await startBot(SUPERGROUP_ID, { sandbox: { chats: [chat] } });
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "kicked");
    const run = await order(deps, "one");
    await until(async () => (await deps.cards.disabledChats()).size > 0, "the chat found to refuse");
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "member");
    expect(await cardOf(sandbox, SUPERGROUP_ID, run)).toBeDefined();
  });

  test("is tried again after an hour", async () => {
    const { sandbox, deps, clock } = await startBot(SUPERGROUP_ID);
    await deps.redis.hset(new Keys(deps.config.redis.prefix).of("disabled"), String(SUPERGROUP_ID), "Forbidden");
    const run = await order(deps, "one");
    clock.advance(3_601_000);
    expect(await cardOf(sandbox, SUPERGROUP_ID, run, /Backup app/)).toBeDefined();
  });
});

describe("Telegram's 429 on a reply", () => {
  test("holds for everything in that chat, and what failed is told when it is over", async () => {
    const { sandbox, deps, clock } = await startBot(SUPERGROUP_ID);
    const run = await order(deps, "one");
    await cardOf(sandbox, SUPERGROUP_ID, run);
    sandbox.addFault({ kind: "retry-after", retryAfter: 90, methods: ["sendMessage"], times: 1 });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/whoami" });
    const refused = await sandbox.waitForCall("sendMessage", ({ error_code }) => error_code === 429);
    await until(async () => (await deps.cards.backlog()) === 1, "the failure to be told later");
    await deps.runs.update(run, "reply", clock.now(), (current) => ({ ...current, waitsFor: "another" }));
    expect(await deps.cards.take(clock.now())).toHaveProperty("waitMs");
    expect(await deps.cards.spend(SUPERGROUP_ID, clock.now())).toBeGreaterThan(60_000);
    const written = () => sandbox.calls(refused.seq).filter(({ method }) => /^(send|edit)/.test(method));
    expect(written()).toEqual([]);
    clock.advance(91_000);
    await cardOf(sandbox, SUPERGROUP_ID, run, /Waiting for run another|No worker/);
    await sandbox.waitForMessage(SUPERGROUP_ID, ({ text }) => /That did not work/.test(text ?? ""), {
      timeoutMs: 60_000,
    });
    expect(written().filter(({ ok }) => !ok)).toEqual([]);
  });
});

describe("a run that waits", () => {
  test("says after a while that no worker is there, and no longer when one is", async () => {
    const { sandbox, deps, clock } = await startBot(SUPERGROUP_ID);
    const run = await order(deps, "one");
    await cardOf(sandbox, SUPERGROUP_ID, run, /Waiting for a worker/);
    clock.advance(26_000);
    await cardOf(sandbox, SUPERGROUP_ID, run, /No worker is running: start one/);
    const at = clock.now().toISOString();
    const worker = {
      role: "worker",
      host: "here",
      pid: 1,
      version: "1",
      startedAt: at,
      state: "",
      seenAt: at,
    } as const;
    await deps.presences.write(worker);
    clock.advance(6000);
    expect(await cardOf(sandbox, SUPERGROUP_ID, run, /Waiting for a worker/)).toBeDefined();
  });
});

describe("/readyz", () => {
  test("tells a token that Telegram refuses from a Telegram out of reach", async () => {
    const { bot } = await startBot(SUPERGROUP_ID, { faults: [{ kind: "status", status: 401 }] });
    const checks = async () => (await (await fetch(`${bot.url}/readyz`)).json()) as { checks: { telegram: unknown } };
    await until(async () => JSON.stringify(await checks()).includes("token refused"), "the refusal");
    expect((await checks()).checks.telegram).toMatchObject({ ok: false, state: "token refused" });
  });
});

describe("two copies of a card", () => {
  test("the older one, pressed, does nothing, says so and loses its buttons; the newer one works", async () => {
    const { sandbox, deps } = await startBot(SUPERGROUP_ID);
    sandbox.addFault({ kind: "lost-answer", methods: ["sendMessage"], times: 1 });
    const run = await order(deps, "one");
    const copies = await sandbox.waitFor(
      () => {
        const found = sandbox.messages(SUPERGROUP_ID).filter(({ text = "" }) => text.includes(run));
        return found.length === 2 && found;
      },
      { timeoutMs: 60_000 },
    );
    const [older, newer] = copies;
    if (!older || !newer) throw new Error("two copies");
    // Recorded: from now on the older one is a stray copy.
    await until(async () => (await deps.cards.backlog()) === 0, "the newer copy on record");
    const press = async (message: Message): Promise<string | undefined> =>
      (
        await sandbox.press(SUPERGROUP_ID, {
          from: ALICE.id,
          message_id: message.message_id,
          data: dataOf(message),
          waitMs: 5000,
        })
      ).answer?.text;
    expect(await press(older)).toMatch(/^This is an old copy/);
    const current = (): Message | undefined =>
      sandbox.messages(SUPERGROUP_ID).find(({ message_id }) => message_id === older.message_id);
    await sandbox.waitFor(() => buttonsOf(current()).length === 0 || undefined);
    expect((await deps.runs.get(run)).status).toBe("queued");
    expect(await press(newer)).toBe("Stopping…");
    await cardOf(sandbox, SUPERGROUP_ID, run, /was cancelled/);
  });
});
