import type { Message } from "@grammyjs/types";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createJobHandlers } from "../../jobs/index.ts";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";
import { startConsumer } from "../../src/queue/consumer.ts";
import { startTimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { type BotWorld, startWholeBot } from "../support/bot.ts";
import { account, accountConfig, minute } from "../support/inventory.ts";
import { ALICE, BOB, BOT_ID, EVE, GROUP_ID } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const vera = { id: 333, is_bot: false, first_name: "Vera" };
const everybody = [ALICE, BOB, vera, EVE];

/** A group, an account in a sandbox, and a worker. */
async function group() {
  const timeweb = await startTimewebSandbox({
    servers: [{ id: 101, name: "web-1", addresses: ["203.0.113.7"] }],
    databases: [{ id: 7, name: "shop" }],
    finances: { balance: 20, hourly_cost: 1 },
  });
  onTestFinished(() => timeweb.close());
  const world = await startWholeBot(fixture, GROUP_ID, {
    sandbox: {
      users: everybody,
      chats: [{ id: GROUP_ID, type: "group", title: "Ops", members: [...everybody.map(({ id }) => id), BOT_ID] }],
    },
    users: [
      { id: BOB.id, name: "bob", role: "operator" },
      { id: vera.id, name: "vera", role: "viewer" },
    ],
    config: {
      providers: { [account]: { kind: "timeweb", config: accountConfig(timeweb) } },
      servers: [{ name: "web-1", provider: account, kind: "timeweb", labels: {}, config: { id: 101 } }],
    },
  });
  await startWorker(world);
  const { sandbox } = world;
  const mine = (): Message[] => sandbox.messages(GROUP_ID).filter(({ from }) => from?.id === BOT_ID);
  const shown = async (pattern: RegExp): Promise<Message> =>
    await until(() => mine().findLast(({ text }) => pattern.test(text ?? "")), `a message like ${pattern}`);
  return {
    world,
    timeweb,
    shown,
    say: (text: string) => sandbox.sendAsUser(GROUP_ID, { from: ALICE.id, text }),
    press: async (from: number, message: Message, label: string): Promise<string | undefined> => {
      const now = mine().find(({ message_id }) => message_id === message.message_id) ?? message;
      const button = now.reply_markup?.inline_keyboard.flat().find(({ text }) => text.includes(label));
      if (!button || !("callback_data" in button)) throw new Error(`no button ${label} on ${now.text}`);
      const { message_id } = message;
      const press = { from, message_id, data: button.callback_data, waitMs: 2000, force: true };
      return (await sandbox.press(GROUP_ID, press)).answer?.text;
    },
    /** As the tick does. */
    tick: async () => await world.deps.inventoryOrders.step(),
  };
}

async function startWorker({ deps: { config, clock } }: BotWorld): Promise<void> {
  const logger = pino({ level: "silent" });
  const { deps, close } = createWorkerDeps({ config, logger, clock, role: "worker" });
  const consumer = await startConsumer({
    redis: fixture.connect(),
    prefix: config.redis.prefix,
    host: deps.host,
    concurrency: 1,
    polls: true,
    handlers: createJobHandlers(deps),
    logger,
    lockMs: 30_000,
  });
  onTestFinished(async () => {
    await consumer.close(5000);
    await close();
  });
}

test("a managed database is looked at and backed up from the chat; who may not gets a reason, a stranger does nothing", async () => {
  const { say, shown, press, tick, timeweb } = await group();
  say("/servers");
  const view = await shown(/^Servers/);
  expect(view.text).toMatch(/web-1/);
  await press(ALICE.id, view, "timeweb");
  // What nobody has asked for yet comes by itself.
  expect((await shown(/Balance: 20 RUB/)).message_id).toBe(view.message_id);
  expect((await shown(/Lasts 20h/)).text).toContain("🔴");
  await press(ALICE.id, view, "Databases: 1");
  await shown(/Managed databases of timeweb/);
  await press(ALICE.id, view, "shop");
  const page = await shown(/Backups at the provider: 1/);
  expect(page.text).toContain("no off-site copy");
  expect(await press(vera.id, page, "Back up now")).toMatch(/operator/);
  expect(await press(EVE.id, page, "Back up now")).toMatch(/not on the list/);
  expect(await press(BOB.id, page, "Back up now")).toMatch(/has to be approved/);
  const approval = await shown(/Backup of the database shop by timeweb: to be approved/);
  await press(BOB.id, approval, "Approve");
  const card = await shown(/Backup of shop by timeweb: being made/);
  expect(card.text).toMatch(/Comment at the provider: vakhta [0-9a-f]{12}/);
  timeweb.advance(2 * minute);
  await tick();
  expect((await shown(/Backup of shop by timeweb: made/)).text).toMatch(/no off-site copy/);
  expect(timeweb.counts()["POST /api/v1/dbs/:id/backups"]).toBe(1);
}, 120_000);

test("other settings of automatic backups are put together by buttons, approved and set", async () => {
  const { world, say, shown, press, timeweb } = await group();
  await world.deps.inventoryOrders.step();
  say("/servers timeweb");
  const view = await shown(/Balance: 20 RUB/);
  await press(ALICE.id, view, "Databases: 1");
  await shown(/Managed databases of timeweb/);
  await press(ALICE.id, view, "shop");
  await shown(/Copies kept: 7/);
  await press(ALICE.id, view, "Automatic backups");
  const form = await shown(/What changes/);
  expect(await press(BOB.id, form, "+ 7")).toMatch(/alice/i);
  await press(ALICE.id, form, "+ 7");
  await shown(/Copies kept: 7 → 14/);
  await press(ALICE.id, form, "Ask for it");
  const approval = await shown(/other settings: to be approved/);
  expect(approval.text).toContain("Copies kept: 7 → 14");
  await press(ALICE.id, approval, "Approve");
  expect((await shown(/other settings: done/)).text).toContain("The provider has the new settings");
  expect(timeweb.counts()["PATCH /api/v1/dbs/:id/auto-backups"]).toBe(1);
}, 120_000);
