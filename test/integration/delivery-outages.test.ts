import { describe, expect, test } from "vitest";
import type { Delivery } from "../../src/bot/delivery.ts";
import { Cards } from "../../src/state/cards.ts";
import { buttonsOf, type DeliveryWorld, dataOf, deliveryWorld, textsOf } from "../support/delivery.ts";
import { ALICE, BOB, BOT, BOT_ID, FORUM_ID, GROUP_ID, SUPERGROUP_ID } from "../support/sandbox.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const cancel = { action: "cancel", label: "Cancel" };

/** A bot that is killed between calling Telegram and recording it. */
function doomedBot(world: DeliveryWorld): Delivery {
  const cards = new Cards(fixture.redis, world.keys);
  cards.done = () => Promise.reject(new Error("killed"));
  cards.fail = () => Promise.resolve();
  return world.bot(cards);
}

describe("an answer that was lost", () => {
  test("makes one copy more at most; the pressed one is adopted, the other loses its buttons", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "lost-answer", methods: ["sendMessage"], times: 1 });
    await world.create("a", { text: "running", buttons: [cancel] });
    await world.pass(10_000);
    const [first, second, ...more] = world.messages();
    expect(more).toEqual([]);
    expect([first, second].map((message) => message?.text)).toEqual(["running", "running"]);
    const token = dataOf(first).slice(2);
    expect(dataOf(second).slice(2)).toBe(token);
    expect(await world.cards.press(token, FORUM_ID, first?.message_id ?? 0, world.clock.now())).toBe("stray");
    expect(await world.cards.press(token, FORUM_ID, second?.message_id ?? 0, world.clock.now())).toMatchObject({
      action: "cancel",
    });
    await world.change("a", { text: "done" });
    await world.pass(2000);
    expect(world.messages().map(({ text }) => text)).toEqual(["⤵ done: goes on here", "done"]);
    expect(world.messages().map(buttonsOf)).toEqual([[], []]);
  });

  test("makes no copy at all when the message is pressed before it is sent again", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "lost-answer", methods: ["sendMessage"], times: 1 });
    await world.create("a", { text: "running", buttons: [cancel] });
    await world.deliver();
    const [only] = world.messages();
    expect(
      await world.cards.press(dataOf(only).slice(2), FORUM_ID, only?.message_id ?? 0, world.clock.now()),
    ).toMatchObject({
      adopted: true,
    });
    await world.change("a", { text: "stopping" });
    await world.pass(10_000);
    expect(world.messages()).toMatchObject([{ message_id: only?.message_id, text: "stopping" }]);
  });
});

describe("a bot that is killed", () => {
  test("between sending and recording leaves one copy more at most, and another bot goes on", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "running", buttons: [cancel] });
    await doomedBot(world).step();
    expect(world.messages()).toHaveLength(1);
    await world.pass(4000);
    expect(world.messages()).toHaveLength(1);
    await world.pass(2000);
    const [old, current] = world.messages();
    expect(world.messages()).toHaveLength(2);
    await world.change("a", { text: "done" });
    await world.pass(2000);
    expect(world.messages().map(({ message_id, text }) => [message_id, text])).toEqual([
      [old?.message_id, "running"],
      [current?.message_id, "done"],
    ]);
  });

  test("between editing and recording leaves no copy", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "one" });
    await world.deliver();
    await world.change("a", { text: "two" });
    world.sandbox.advance(1000);
    await doomedBot(world).step();
    await world.pass(10_000);
    expect(world.messages()).toMatchObject([{ text: "two" }]);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("or rather held up beyond its claim does not send what it took then", async () => {
    const world = await deliveryWorld(fixture);
    const slow = new Cards(fixture.redis, world.keys);
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    slow.buttonToken = async (...args) => {
      reached.resolve();
      await held.promise;
      return await world.cards.buttonToken(...args);
    };
    await world.create("a", { text: "old", buttons: [cancel] });
    const frozen = world.bot(slow).step();
    await reached.promise;
    await world.change("a", { text: "new", buttons: [cancel] });
    await world.pass(6000);
    held.resolve();
    await frozen;
    await world.pass(6000);
    expect(world.messages()).toMatchObject([{ text: "new" }]);
  });

  test("by two sending at the same time ends with one copy that has buttons", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "running", buttons: [cancel] });
    world.sandbox.addFault({ kind: "slow", methods: ["sendMessage"], delayMs: 200, times: 1 });
    const slow = world.delivery.step();
    await world.sandbox.waitForCall("sendMessage");
    world.sandbox.advance(5000);
    await world.bot().step();
    await slow;
    await world.pass(5000);
    expect(
      world
        .messages()
        .map(buttonsOf)
        .filter((labels) => labels.length > 0),
    ).toHaveLength(1);
    expect(world.messages()).toHaveLength(2);
    expect(await world.cards.backlog()).toBe(0);
  });
});

describe("ten minutes without Telegram", () => {
  test.each([
    ["blackhole", 3],
    ["reset", 10],
    ["status", 10],
  ] as const)("(%s) lose nothing: then the newest state is there, once", async (kind, looks) => {
    const world = await deliveryWorld(fixture);
    await world.create("before", { text: "before" });
    await world.deliver();
    world.sandbox.addFault({ kind, html: true, forMs: 600_000 });
    for (let look = 0; look < looks; look++) {
      await world.change("before", { text: `state ${look}` }, "progress");
      await world.create(`${look}`, { text: `new ${look}` }, { urgency: look % 2 === 0 ? "critical" : "normal" });
      await world.deliver();
      world.sandbox.advance(600_000 / looks);
    }
    expect(world.messages().map(({ text }) => text)).toEqual(["before"]);
    await world.pass(120_000);
    const expected = [`state ${looks - 1}`, ...Array.from({ length: looks }, (_, look) => `new ${look}`)];
    expect(textsOf(world.messages())).toEqual(expected.toSorted((a, b) => a.localeCompare(b)));
    expect(await world.cards.backlog()).toBe(0);
  });

  test("are asked about less and less often, and at least once a minute", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "reset" });
    await world.create("a", { text: "a" });
    await world.pass(600_000);
    const tries = world.sandbox.calls().map(({ at }) => Date.parse(at));
    const gaps = tries.slice(1).map((at, index) => (at - (tries[index] ?? 0)) / 1000);
    expect(gaps.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60]);
    expect(Math.max(...gaps)).toBe(60);
  });
});

describe("a group that becomes a supergroup", () => {
  test("gets its cards anew under its new id, by one refused call", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "one", buttons: [cancel] }, { chatId: GROUP_ID });
    await world.create("b", { text: "still", buttons: [] }, { chatId: GROUP_ID });
    await world.deliver();
    const supergroup = world.sandbox.migrate(GROUP_ID);
    await world.change("a", { text: "two", buttons: [cancel] });
    await world.pass(2000);
    expect(world.messages(supergroup)).toMatchObject([{ text: "two" }]);
    await world.change("a", { text: "three", buttons: [cancel] });
    await world.change("b", { text: "moved" });
    await world.create("c", { text: "new" }, { chatId: GROUP_ID });
    await world.pass(3000);
    expect(textsOf(world.messages(supergroup))).toEqual(["moved", "new", "three"]);
    expect(world.calls().filter(({ ok }) => !ok)).toHaveLength(1);
  });
});

describe("a chat that refuses us", () => {
  test("is left alone, the admins are told elsewhere once, and what it missed comes when it is let in", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
    world.sandbox.setMember(SUPERGROUP_ID, BOT_ID, "kicked");
    await world.create("a", { text: "a" }, { chatId: SUPERGROUP_ID });
    await world.create("b", { text: "b" }, { chatId: SUPERGROUP_ID });
    await world.pass(5000);
    for (const chat of [ALICE.id, FORUM_ID])
      expect(world.messages(chat).map(({ text }) => text)).toEqual([
        expect.stringMatching(new RegExp(`refuses to deliver to the chat ${SUPERGROUP_ID} .*kicked`)),
      ]);
    await world.change("a", { text: "newer" });
    await world.pass(120_000);
    expect(world.calls().filter(({ ok }) => !ok)).toHaveLength(1);
    world.sandbox.setMember(SUPERGROUP_ID, BOT_ID, "member");
    await world.cards.enableChat(SUPERGROUP_ID);
    await world.deliver();
    expect(textsOf(world.messages(SUPERGROUP_ID))).toEqual(["b", "newer"]);
  });

  test("because its person never wrote or has blocked us does not stop the others, nor tell itself", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.sendAsUser(BOB.id, { from: BOB.id, text: "/start" });
    world.sandbox.setMember(BOB.id, BOT_ID, "kicked");
    await world.create("a", { text: "for bob" }, { chatId: BOB.id, urgency: "critical" });
    await world.create("b", { text: "for all" });
    await world.pass(10_000);
    // Alice never wrote either: the notice about bob cannot reach her, and that is said as well.
    const texts = world.messages().map(({ text }) => text ?? "");
    expect(texts).toContain("for all");
    const start = `they have to open @${BOT.username} and press Start`;
    expect(textsOf(world.messages()).filter((text) => text.includes("cannot write"))).toEqual([
      expect.stringContaining(`cannot write to alice: ${start}`),
      expect.stringContaining(`cannot write to bob: ${start}`),
    ]);
    await world.pass(120_000);
    expect(world.calls().filter(({ ok }) => !ok)).toHaveLength(2);
  });
});
