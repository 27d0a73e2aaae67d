import { describe, expect, test } from "vitest";
import type { Delivery } from "../../src/bot/delivery.ts";
import type { ApiCall } from "../../src/sandbox/telegram/index.ts";
import { type DeliveryWorld, deliveryWorld } from "../support/delivery.ts";
import { ALICE, FORUM_ID, SUPERGROUP_ID } from "../support/sandbox.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

const refused = (world: DeliveryWorld): ApiCall[] => world.calls().filter(({ error_code }) => error_code === 429);

describe("Telegram's budget", () => {
  test("is never exceeded by a burst of 200 cards into one group: no 429, all are shown, criticals first", async () => {
    const world = await deliveryWorld(fixture);
    for (let n = 0; n < 200; n++)
      await world.create(`${n}`, { text: `card ${n}` }, { urgency: n >= 100 ? "reply" : "normal" });
    await world.deliver();
    await world.create("fire", { text: "fire" }, { urgency: "critical" });
    // At once: whatever is pressed, some of the budget is left for it.
    await world.deliver();
    expect(world.messages().map(({ text }) => text)[17]).toBe("fire");
    await world.pass(61_000);
    for (let n = 0; n < 40; n++) await world.change(`${n}`, { text: `card ${n}, changed` });
    await world.pass(16 * 60_000);
    expect(refused(world)).toEqual([]);
    expect(await world.cards.backlog()).toBe(0);
    const texts = new Set(world.messages().map(({ text }) => text));
    expect(texts.size).toBe(201);
    for (let n = 0; n < 200; n++) expect(texts).toContain(n < 40 ? `card ${n}, changed` : `card ${n}`);
  });

  test("is kept by several bots together, with news, files and old copies in between", async () => {
    const world = await deliveryWorld(fixture);
    const bots: Delivery[] = [world.delivery, world.bot(), world.bot()];
    for (let n = 0; n < 30; n++)
      await world.create(`${n}`, {
        text: n % 5 === 0 ? "long ".repeat(1000) : `card ${n}`,
        buttons: [{ action: "x", label: "X" }],
      });
    for (let step = 0; step < 400; step++) {
      for (const bot of bots) await bot.step();
      if (step === 150)
        for (let n = 0; n < 10; n++) await world.change(`${n}`, { text: `failed ${n}`, raise: "failed" }, "critical");
      world.sandbox.advance(1000);
    }
    expect(refused(world)).toEqual([]);
    expect(await world.cards.backlog()).toBe(0);
    const withButtons = world.messages().filter((message) => message.reply_markup?.inline_keyboard.length);
    // The raised ones are shown without buttons, and their old copies have lost them.
    expect(withButtons).toHaveLength(20);
  });

  test("of a person is not exceeded by a burst either", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
    for (let n = 0; n < 60; n++)
      await world.create(
        `${n}`,
        { text: `card ${n}` },
        { chatId: ALICE.id, urgency: n % 2 === 0 ? "reply" : "normal" },
      );
    await world.pass(120_000);
    expect(refused(world)).toEqual([]);
    expect(world.messages(ALICE.id)).toHaveLength(60);
  });
});

describe("429", () => {
  test("is waited for as long as it says, in that chat only", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "retry-after", chatId: FORUM_ID, retryAfter: 17, times: 1 });
    await world.create("a", { text: "a" }, { urgency: "critical" });
    await world.create("b", { text: "b" });
    await world.create("c", { text: "c" }, { chatId: SUPERGROUP_ID });
    await world.deliver();
    expect(world.messages(SUPERGROUP_ID)).toMatchObject([{ text: "c" }]);
    const before = world.calls().length;
    await world.pass(16_000);
    expect(world.calls()).toHaveLength(before);
    await world.pass(1000);
    expect(world.messages().map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test("on an edit loses nothing and shows the newest state", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "one" });
    await world.deliver();
    world.sandbox.addFault({ kind: "retry-after", methods: ["editMessageText"], retryAfter: 5, times: 3 });
    await world.change("a", { text: "two" });
    await world.pass(3000);
    await world.change("a", { text: "three" }, "critical");
    await world.pass(20_000);
    expect(world.messages()).toMatchObject([{ text: "three" }]);
    expect(refused(world)).toHaveLength(3);
  });
});
