import { describe, expect, test } from "vitest";
import type { Urgency } from "../../src/core/card.ts";
import { type CardRef, Cards, type Claim } from "../../src/state/cards.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const group = { chatId: -1001 };
const second = 1000;

const ref = (id: string | number): CardRef => ({ kind: "test", id: String(id) });

/** A card that is shown in a place; `urgency` is that of its news. */
async function show(
  cards: Cards,
  clock: ManualClock,
  id: string | number,
  urgency: Urgency = "normal",
  chatId = group.chatId,
): Promise<CardRef> {
  const card = ref(id);
  await cards.create(card, { n: 0 }, urgency, clock.now());
  await cards.place(card, { chatId }, urgency, clock.now());
  return card;
}

async function take(cards: Cards, clock: ManualClock): Promise<Claim> {
  const claim = await cards.take(clock.now());
  if (!("placement" in claim)) throw new Error(`nothing to take, wait ${claim.waitMs}`);
  return claim;
}

async function waitOf(cards: Cards, clock: ManualClock): Promise<number | undefined> {
  const claim = await cards.take(clock.now());
  if ("placement" in claim) throw new Error(`took ${claim.card.id}`);
  return claim.waitMs;
}

let lastMessage = 0;
async function deliver(cards: Cards, clock: ManualClock, claim: Claim): Promise<number> {
  lastMessage += 1;
  const messageId = claim.messageId ?? lastMessage;
  return await cards.done(claim, { messageId, hash: `r${claim.revision}`, spent: true }, clock.now());
}

const bump = (value: { n: number }): { n: number } => ({ n: value.n + 1 });

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
      Array.from({ length: 100 }, (_, index) => all[index % 4]?.update(ref("a"), "normal", clock.now(), bump)),
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
    await deliver(cards, clock, claim);
    await cards.update(card, "normal", clock.now(), bump);
    await cards.remove(card);
    expect(await cards.read(card)).toBeUndefined();
    expect(await cards.placements(card)).toEqual([]);
    expect(await cards.backlog()).toBe(0);
    expect(await waitOf(cards, clock)).toBeUndefined();
    expect(await cards.press(token, group.chatId, lastMessage)).toBe("unknown");
  });

  test("of a card that is removed while it is being delivered does not come back", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    const claim = await take(cards, clock);
    await cards.remove(card);
    expect(await deliver(cards, clock, claim)).toBe(lastMessage);
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

describe("a claim", () => {
  test("belongs to one of many who take at the same time", async () => {
    const [keys, clock] = [fixture.keys(), new ManualClock()];
    const cards = fixture.cards(keys);
    for (let id = 0; id < 10; id++) await show(cards, clock, id);
    const claims = await Promise.all(Array.from({ length: 30 }, () => cards.take(clock.now())));
    const taken = claims.flatMap((claim) => ("placement" in claim ? [claim.placement] : []));
    expect(taken).toHaveLength(10);
    expect(new Set(taken).size).toBe(10);
  });

  test("that is not answered for is taken again after 5 s, not before", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a");
    await take(cards, clock);
    expect(await waitOf(cards, clock)).toBe(5 * second);
    clock.advance(5 * second - 1);
    expect(await waitOf(cards, clock)).toBe(1);
    clock.advance(1);
    expect(await take(cards, clock)).toMatchObject({ card: ref("a") });
  });

  test("whose card has changed meanwhile leaves it dirty, else clean", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    const claim = await take(cards, clock);
    await cards.update(card, "normal", clock.now(), bump);
    await deliver(cards, clock, claim);
    expect(await cards.backlog()).toBe(1);
    clock.advance(second);
    const next = await take(cards, clock);
    expect(next).toMatchObject({ revision: 2, messageId: lastMessage, renderedHash: "r1" });
    await deliver(cards, clock, next);
    expect(await cards.backlog()).toBe(0);
  });

  test("that says there is more to do leaves it dirty", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a", "critical");
    await cards.done(await take(cards, clock), { messageId: 1, hash: "h", spent: true, more: true }, clock.now());
    clock.advance(second);
    const claim = await take(cards, clock);
    expect(claim.urgency).toBe("normal");
    await cards.done(claim, { messageId: 1, hash: "h", spent: true, documentHash: "d" }, clock.now());
    expect(await waitOf(cards, clock)).toBeUndefined();
  });

  test("that was lost to another cannot clear the mark, and what it may have overwritten is shown again", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    await deliver(cards, clock, await take(cards, clock));
    await cards.update(card, "normal", clock.advance(second), bump);
    const frozen = await take(cards, clock);
    await cards.update(card, "normal", clock.now(), bump);
    clock.advance(5 * second);
    const other = await take(cards, clock);
    await deliver(cards, clock, other);
    expect(await cards.backlog()).toBe(0);
    // The frozen one wakes up: its old text has reached the chat after the new one.
    await deliver(cards, clock, frozen);
    clock.advance(second);
    expect(await take(cards, clock)).toMatchObject({ revision: 3, renderedHash: "r2" });
  });

  test("whose message is not the one in force is told so, and its copy becomes the stray one", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a");
    const slow = await take(cards, clock);
    clock.advance(5 * second);
    const fast = await take(cards, clock);
    expect(await cards.done(fast, { messageId: 20, hash: "h", spent: true }, clock.now())).toBe(20);
    expect(await cards.done(slow, { messageId: 10, hash: "h", spent: true }, clock.now())).toBe(20);
    clock.advance(second);
    expect(await take(cards, clock)).toMatchObject({ messageId: 20, stray: 10 });
  });

  test("that failed twice in a row counts its failures until it succeeds", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "a");
    for (const failures of [0, 1, 2]) {
      const claim = await take(cards, clock);
      expect(claim.failures).toBe(failures);
      await cards.fail(claim, { retryAt: clock.advance(second) });
    }
    await cards.done(await take(cards, clock), { messageId: 1, hash: "h", spent: true, more: true }, clock.now());
    clock.advance(second);
    expect((await take(cards, clock)).failures).toBe(0);
  });

  test.each([
    ["forget", { forget: true }, { messageId: undefined, renderedHash: undefined }],
    ["withoutTopic", { withoutTopic: true }, { target: { chatId: -1001 }, messageId: 7 }],
  ] as const)("given back with %s is taken again at once, changed so", async (_, options, expected) => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await cards.create(ref("a"), { n: 0 }, "normal", clock.now());
    await cards.place(ref("a"), { ...group, threadId: 15 }, "normal", clock.now(), { messageId: 7 });
    await cards.fail(await take(cards, clock), options);
    const claim = await take(cards, clock);
    expect({ messageId: claim.messageId, renderedHash: claim.renderedHash, target: claim.target }).toMatchObject(
      expected,
    );
  });

  test("that was dropped is not tried again before the card changes", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const card = await show(cards, clock, "a");
    await cards.fail(await take(cards, clock), { drop: true });
    expect(await waitOf(cards, clock)).toBeUndefined();
    await cards.update(card, "normal", clock.now(), bump);
    expect((await take(cards, clock)).revision).toBe(2);
  });
});
