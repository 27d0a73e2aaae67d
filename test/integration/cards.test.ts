import { describe, expect, test } from "vitest";
import { Cards } from "../../src/state/cards.ts";
import { bump, deliver, group, ref, show, take, waitOf } from "../support/cards.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const second = 1000;

describe("an entity", () => {
  test("is created once, whoever else tries at the same time", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, n) => cards.create(ref("a"), { n }, "normal", clock.now())),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect((await cards.read<{ n: number }>(ref("a")))?.value.n).toBe(made.indexOf(true));
  });

  test("loses none of 100 changes made at the same time over several connections", async () => {
    const [keys, clock] = [fixture.keys(), new ManualClock()];
    const all = Array.from({ length: 4 }, () => new Cards(fixture.connect(), keys));
    const [first] = all;
    await first?.create(ref("a"), { n: 0 }, "normal", clock.now());
    await Promise.all(
      Array.from(
        { length: 100 },
        async (_, index) => await all[index % 4]?.update(ref("a"), "normal", clock.now(), bump),
      ),
    );
    expect(await first?.read(ref("a"))).toEqual({ value: { n: 100 }, revision: 101 });
  });

  test("that a change leaves as it is keeps its revision and wakes nobody", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    await deliver(cards, clock, await take(cards, clock));
    await cards.update<{ n: number }>(card, "critical", clock.now(), (value) => value);
    expect(await cards.read(card)).toMatchObject({ revision: 1 });
    expect(await waitOf(cards, clock)).toBeUndefined();
  });

  test("that does not exist cannot be changed", async () => {
    await expect(fixture.cards().update(ref("none"), "normal", new Date(), bump)).rejects.toMatchObject({
      code: "not-found",
    });
  });

  test("is announced to those who deliver, on every change", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const heard: string[] = [];
    const subscriber = fixture.connect();
    await subscriber.subscribe(cards.wakeChannel);
    const twice = Promise.withResolvers<void>();
    subscriber.on("message", (_channel, message: string) => {
      heard.push(message);
      if (heard.length === 2) twice.resolve();
    });
    await cards.create(ref("a"), { n: 0 }, "normal", clock.now());
    await cards.update(ref("a"), "normal", clock.now(), bump);
    await twice.promise;
    expect(heard).toEqual(["test/a", "test/a"]);
  });
});

describe("a placement", () => {
  test("is one for the same card in the same place, however often it is asked for", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await cards.create(ref("a"), { n: 0 }, "normal", clock.now());
    const place = (threadId?: number): Promise<string> =>
      cards.place(ref("a"), { ...group, ...(threadId === undefined ? {} : { threadId }) }, "normal", clock.now());
    const ids = await Promise.all(Array.from({ length: 20 }, () => place()));
    expect(new Set(ids).size).toBe(1);
    expect(await place(15)).not.toBe(ids[0]);
    expect(await cards.placements(ref("a"))).toHaveLength(2);
  });

  test("carries where it is, how it rings and what it shows", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await cards.create(ref("a"), { n: 7 }, "reply", clock.now());
    await cards.place(ref("a"), { chatId: -5, threadId: 15 }, "reply", clock.now(), { silent: true, messageId: 99 });
    expect(await take(cards, clock)).toMatchObject({
      card: { kind: "test", id: "a" },
      revision: 1,
      urgency: "reply",
      body: { n: 7 },
      target: { chatId: -5, threadId: 15 },
      silent: true,
      messageId: 99,
      failures: 0,
    });
  });

  test("of a card in several chats is delivered in each", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    await cards.place(card, { chatId: 111 }, "normal", clock.now());
    const chats = [await take(cards, clock), await take(cards, clock)].map((claim) => claim.target.chatId);
    expect(chats.toSorted((a, b) => a - b)).toEqual([-1001, 111]);
    expect(await waitOf(cards, clock)).toBe(5 * second);
  });

  test("of a removed card is gone, and its buttons are out of date", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    const claim = await take(cards, clock);
    const token = await cards.buttonToken(claim.placement, "cancel");
    const message = await deliver(cards, clock, claim);
    await cards.update(card, "normal", clock.now(), bump);
    await cards.remove(card);
    expect(await cards.read(card)).toBeUndefined();
    expect(await cards.placements(card)).toEqual([]);
    expect(await cards.backlog()).toBe(0);
    expect(await waitOf(cards, clock)).toBeUndefined();
    expect(await cards.press(token, group.chatId, message, clock.now())).toBe("unknown");
  });

  test("of a card that is removed while it is being delivered does not come back", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    const claim = await take(cards, clock);
    await cards.remove(card);
    await deliver(cards, clock, claim);
    await cards.fail(claim, { retryAt: clock.now() });
    expect(await waitOf(cards, clock)).toBeUndefined();
  });
});

describe("what is delivered first", () => {
  test("is critical before reply before normal before progress, and the oldest of each", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    for (const [id, urgency] of [
      ["p", "progress"],
      ["n2", "normal"],
      ["r", "reply"],
      ["n1", "normal"],
      ["c", "critical"],
    ] as const) {
      await show(cards, clock, id, urgency);
      clock.advance(1);
    }
    const order: string[] = [];
    for (let index = 0; index < 5; index++) order.push((await take(cards, clock)).card.id);
    expect(order).toEqual(["c", "r", "n2", "n1", "p"]);
  });

  test("is decided over all chats, not chat by chat", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const order = ["critical", "reply", "normal", "progress"] as const;
    for (const [index, urgency] of [...order, ...order.toReversed()].entries())
      await show(cards, clock, index, urgency, index < 4 ? -2000 - index : 2000 + index);
    const taken: string[] = [];
    for (let index = 0; index < 8; index++) taken.push((await take(cards, clock)).urgency);
    expect(taken).toEqual(order.flatMap((urgency) => [urgency, urgency]));
  });

  test("is a critical one behind 500 normal ones", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    for (let id = 0; id < 500; id++) await show(cards, clock, id);
    clock.advance(60 * second);
    await show(cards, clock, "fire", "critical");
    expect((await take(cards, clock)).card.id).toBe("fire");
    expect(await cards.backlog()).toBe(501);
  });

  test("is what has become more urgent since", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a");
    const late = await show(cards, clock, "b", "progress");
    await cards.update(late, "critical", clock.advance(1), bump);
    expect((await take(cards, clock)).card.id).toBe("b");
  });

  test("is not decided by an old urgency once that news was shown", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a", "reply");
    const claim = await take(cards, clock);
    await cards.update(card, "progress", clock.advance(10), bump);
    await deliver(cards, clock, claim);
    // What came meanwhile is progress: it waits for its interval instead of going first and at once.
    expect(await waitOf(cards, clock)).toBe(4 * second);
    clock.advance(4 * second);
    expect(await take(cards, clock)).toMatchObject({ urgency: "progress", revision: 2 });
  });

  test("skips what cannot be sent now and goes on with the next", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a");
    await show(cards, clock, "b", "normal");
    const claim = await take(cards, clock);
    await cards.fail(claim, { retryAt: new Date(clock.now().getTime() + 30 * second) });
    const other = await take(cards, clock);
    expect(other.card.id).not.toBe(claim.card.id);
    await deliver(cards, clock, other);
    expect(await waitOf(cards, clock)).toBe(30 * second);
    clock.advance(30 * second);
    expect(await take(cards, clock)).toMatchObject({ card: claim.card, failures: 1 });
  });
});
