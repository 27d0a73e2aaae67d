import type { Message } from "@grammyjs/types";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { startConsumer } from "../../src/queue/consumer.ts";
import type { JobHandlers } from "../../src/queue/contracts.ts";
import { Approvals } from "../../src/services/approvals/approvals.ts";
import { ApprovalRunner } from "../../src/services/approvals/runner.ts";
import { identity, order, testActions } from "../support/approvals.ts";
import { type BotOptions, type BotWorld, startWholeBot } from "../support/bot.ts";
import { ALICE, BOB, BOT_ID, EVE, SUPERGROUP_ID } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const carol = { id: 444, is_bot: false, first_name: "Carol" };
const vera = { id: 333, is_bot: false, first_name: "Vera" };
const everybody = [ALICE, BOB, carol, vera, EVE];
const alice = { id: ALICE.id, name: "alice" };
const minute = 60_000;

const options = {
  sandbox: {
    users: everybody,
    chats: [
      {
        id: SUPERGROUP_ID,
        type: "supergroup" as const,
        title: "Ops",
        members: [...everybody.map(({ id }) => id), BOT_ID],
      },
    ],
  },
  users: [
    { id: BOB.id, name: "bob", role: "operator" as const },
    { id: carol.id, name: "carol", role: "admin" as const },
    { id: vera.id, name: "vera", role: "viewer" as const },
  ],
  approvals: { restore: { approvers: 2 } },
} satisfies BotOptions;

/** A group with privacy mode, and what people do in it. */
async function group(change: Partial<BotOptions> = {}) {
  let world = await startWholeBot(fixture, SUPERGROUP_ID, { ...options, ...change });
  const { sandbox } = world;
  const mine = (): Message[] => sandbox.messages(SUPERGROUP_ID).filter(({ from }) => from?.id === BOT_ID);
  const shown = async (pattern: RegExp): Promise<Message> =>
    await until(() => mine().findLast(({ text }) => pattern.test(text ?? "")), `a message like ${pattern}`);
  return {
    world: (): BotWorld => world,
    sandbox,
    shown,
    mine,
    restart: async () => (world = await world.restart()),
    request: async (more: Parameters<typeof order>[0] = {}) => {
      const approvals = new Approvals({ ...world.deps, actions: testActions });
      const place = { chatId: SUPERGROUP_ID };
      return (await approvals.request(order({ requestedBy: alice, place, ...more }))).approval.id;
    },
    type: (from: number, text: string, to?: Message, how: { date?: number; anonymous?: boolean } = {}) =>
      sandbox.sendAsUser(SUPERGROUP_ID, {
        from,
        text,
        ...(to ? { reply_to_message_id: to.message_id } : {}),
        ...how,
      }),
    press: async (from: number, message: Message, label: string, ageMs = 0): Promise<string | undefined> => {
      const button = message.reply_markup?.inline_keyboard.flat().find(({ text }) => text === label);
      if (!button || !("callback_data" in button)) throw new Error(`no button ${label} on ${message.text}`);
      const { message_id } = message;
      const data = button.callback_data;
      const pressed = await sandbox.press(SUPERGROUP_ID, {
        from,
        message_id,
        data,
        ageMs,
        waitMs: ageMs > 0 ? 1000 : 10_000,
        force: true,
      });
      return pressed.answer?.text;
    },
    audit: async (id: string) =>
      (await world.deps.audit.of("approval", id)).map(({ what, by }) => (by ? `${what} ${by.name}` : what)),
  };
}

/** A worker that carries out the tests' actions; returns what it has done. */
async function startWorker({ deps }: BotWorld): Promise<string[]> {
  const done: string[] = [];
  const handler = {
    identify: async () => identity,
    execute: async ({ from }: { from: string }) => {
      done.push(from);
      return undefined;
    },
  };
  const logger = pino({ level: "silent" });
  const actionHandlers = { rebuild: handler, strike: handler };
  const runner = new ApprovalRunner({ ...deps, actions: testActions, actionHandlers, logger });
  const { prefix } = deps.config.redis;
  const handlers = {
    approval: async ({ approvalId }, context) => await runner.execute(approvalId, context),
  } satisfies Partial<JobHandlers>;
  const consumer = await startConsumer({
    redis: fixture.redis,
    prefix,
    host: deps.host,
    concurrency: 1,
    handlers: handlers as unknown as JobHandlers,
    logger,
    lockMs: 30_000,
    polls: false,
  });
  onTestFinished(async () => void (await consumer.close(5000)));
  return done;
}

const labels = (message: Message): string[] =>
  (message.reply_markup?.inline_keyboard ?? []).flat().map(({ text }) => text);

describe("an order that two admins have to approve, in a group with privacy mode", () => {
  test("is typed, approved and carried out once, over restarts of the bot", async () => {
    const chat = await group();
    const id = await chat.request();
    const asked = await chat.shown(/to be confirmed/);
    expect(labels(asked)).toEqual(["Reject", "Cancel"]);
    const question = await chat.shown(/reply to this message with the name shop/);
    const call = chat.sandbox.calls().findLast(({ params }) => JSON.stringify(params).includes("force_reply"));
    expect(call?.params["reply_markup"]).toEqual({
      force_reply: true,
      selective: true,
      input_field_placeholder: "shop",
    });
    expect(question.entities).toContainEqual(
      expect.objectContaining({ type: "text_mention", user: expect.objectContaining({ id: ALICE.id }) }),
    );

    // Others, and an admin whom nobody can tell from others, change nothing; neither does what the bot cannot see.
    chat.type(carol.id, "shop", question);
    expect((await chat.shown(/That is asked of alice/)).text).toContain("Nothing was done");
    chat.type(ALICE.id, "shop", question, { anonymous: true });
    chat.type(ALICE.id, "shop");
    chat.type(ALICE.id, "Shop", question);
    const second = await chat.shown(/That was something else/);
    chat.type(ALICE.id, "shop", second, { date: Math.floor(Date.now() / 1000) - 300 });
    const third = await chat.shown(/reached me long after/);

    await chat.restart();
    chat.type(ALICE.id, "shop", third);
    const card = await chat.shown(/to be approved/);
    expect(card.message_id).toBeGreaterThan(third.message_id);
    expect(card.text).toMatch(/✔ alice.*Missing: 1 approval of 2, role admin/s);
    expect(labels(card)).toEqual(["Approve", "Reject", "Cancel"]);

    expect(await chat.press(EVE.id, card, "Approve")).toMatch(/not on the list/);
    expect(await chat.press(vera.id, card, "Approve")).toMatch(/takes the role admin/);
    expect(await chat.press(BOB.id, card, "Reject")).toMatch(/takes the role admin/);
    expect(await chat.press(BOB.id, card, "Cancel")).toMatch(/for alice or an admin/);
    expect(await chat.press(ALICE.id, card, "Approve")).toMatch(/decided already/);

    // One that has waited for long somewhere is answered too late, and counts for nothing.
    expect(await chat.press(carol.id, card, "Approve", 20 * minute)).toBeUndefined();

    const world = await chat.restart();
    const done = await startWorker(world);
    expect(await chat.press(carol.id, card, "Approve")).toBe("Approved: it begins");
    const over = await chat.shown(/: done/);
    expect(over.message_id).toBe(card.message_id);
    expect(over.text).toMatch(/✔ alice.*✔ carol.*Carried out on here/s);
    expect(labels(over)).toEqual([]);
    expect(await chat.press(carol.id, card, "Reject")).toMatch(/Decided already: it is done/);
    // The first message of it is an old copy.
    expect(await chat.press(carol.id, asked, "Reject")).toMatch(/old copy/);
    expect(done).toEqual(["monday"]);
    expect(await chat.audit(id)).toEqual([
      "requested alice",
      "refused carol",
      "mistyped alice",
      "confirmed alice",
      "approved alice",
      "refused vera",
      "refused bob",
      "refused bob",
      "refused alice",
      "approved carol",
      "agreed",
      "began",
      "done",
    ]);
  });

  test("is confirmed by a reply to the card as well, and stopped by who says no, and why", async () => {
    const chat = await group();
    const id = await chat.request();
    chat.type(ALICE.id, "shop", await chat.shown(/to be confirmed/));
    const card = await chat.shown(/to be approved/);
    expect(await chat.press(carol.id, card, "Reject")).toBe("Rejected");
    const question = await chat.shown(/reply to this message if you want to say why/);
    expect((await chat.shown(/: rejected/)).text).not.toContain("Reason");
    await chat.restart();
    chat.type(BOB.id, "not mine", question);
    await chat.shown(/That is asked of carol/);
    chat.type(carol.id, "the wrong <day>", question);
    const over = await chat.shown(/Reason: the wrong <day>/);
    expect(labels(over)).toEqual([]);
    expect(await chat.press(carol.id, card, "Approve")).toMatch(/Decided already: it was rejected/);
    expect((await chat.audit(id)).slice(-3)).toEqual(["approved alice", "rejected carol", "reason carol"]);
  });

  test("is taken back by who has asked, before anybody has approved it", async () => {
    const chat = await group();
    await chat.request();
    const card = await chat.shown(/to be confirmed/);
    expect(await chat.press(ALICE.id, card, "Cancel")).toBe("Taken back");
    expect((await chat.shown(/: taken back/)).text).toContain("Nothing was done");
  });

  test("expires by the clock of the watch; a press before anybody has looked comes too late", async () => {
    const chat = await group();
    const id = await chat.request();
    chat.type(ALICE.id, "shop", await chat.shown(/with the name shop/));
    const card = await chat.shown(/to be approved/);
    const { clock, bot } = chat.world();
    clock.advance(15 * minute);
    expect(await chat.press(carol.id, card, "Approve")).toMatch(/Too late: it has expired/);
    await bot.step();
    const over = await chat.shown(/: expired/);
    expect([labels(over), over.text]).toEqual([[], expect.stringContaining("Not enough people")]);
    expect((await chat.audit(id)).at(-1)).toBe("expired");
  });

  test("begins with one admin alone, where that is the policy, in Russian", async () => {
    const chat = await group({ approvals: {}, locale: "ru" });
    await chat.request();
    const done = await startWorker(chat.world());
    chat.type(ALICE.id, "shop", await chat.shown(/ответьте на это сообщение именем shop/));
    await chat.shown(/: выполнено/);
    expect(done).toEqual(["monday"]);
  });
});
