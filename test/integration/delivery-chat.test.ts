import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BotConfig } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { type RunningBot, runBot } from "../../src/app/run-bot.ts";
import type { Message, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { buttonsOf, dataOf } from "../support/delivery.ts";
import { ALICE, BOT, BOT_ID, GROUP_ID, SUPERGROUP_ID, testSandbox } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();

/** A whole bot in this process, with one configured chat; no worker. */
async function startBot(chatId: number): Promise<{ sandbox: TelegramSandbox; deps: Deps; bot: RunningBot }> {
  const sandbox = await testSandbox();
  const config = {
    timezone: "UTC",
    locale: "en",
    redis: { url: fixture.server.url, prefix: fixture.keys().root.split(":")[0] },
    http: { host: "127.0.0.1", port: 0 },
    worker: { host: "here", concurrency: 1 },
    storages: {},
    backups: [{ name: "app", storages: [], encrypt: false, catchUp: true, source: { kind: "postgres" } }],
    telegram: {
      token: BOT.token,
      apiRoot: sandbox.apiRoot,
      mode: "polling",
      chats: { ops: { id: chatId, topics: {} } },
      users: [{ id: ALICE.id, name: "alice", role: "admin" }],
    },
  } as unknown as BotConfig;
  const logger = pino({ level: "silent" });
  const { deps, close } = createDeps({ config, logger, clock: { now: () => new Date() }, role: "bot" });
  const bot = await runBot({ ...deps, config }, close);
  onTestFinished(async () => await bot.stop());
  await sandbox.waitFor(() => sandbox.isPolled() || undefined, { timeoutMs: 10_000 });
  return { sandbox, deps, bot };
}

const order = async (deps: Deps, source: string): Promise<string> =>
  (await deps.orders.request({ name: "app", trigger: "chat", source, requestedBy: { id: ALICE.id, name: "alice" } }))
    .run.id;

const cardOf = async (sandbox: TelegramSandbox, chat: number, run: string, text = /is waiting/): Promise<Message> =>
  await sandbox.waitForMessage(chat, (message) => text.test(message.text ?? "") && (message.text ?? "").includes(run), {
    timeoutMs: 10_000,
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
      timeoutMs: 10_000,
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

  test("that only learns of it by a command is served at once as well", async () => {
    const { sandbox, deps } = await startBot(GROUP_ID);
    const run = await order(deps, "one");
    await cardOf(sandbox, GROUP_ID, run);
    const supergroup = sandbox.migrate(GROUP_ID);
    sandbox.sendAsUser(supergroup, { from: ALICE.id, text: "/whoami" });
    await sandbox.waitForMessage(supergroup, (message) => message.text?.startsWith("alice: id 111") === true, {
      timeoutMs: 10_000,
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
    await sandbox.waitForMessage(ALICE.id, (message) => /refuses to deliver/.test(message.text ?? ""), {
      timeoutMs: 10_000,
    });
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "member");
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/whoami" });
    await cardOf(sandbox, SUPERGROUP_ID, run);
    expect(await deps.cards.disabledChats()).toEqual(new Map());
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
      { timeoutMs: 10_000 },
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
