import { describe, expect, test } from "vitest";
import type { Urgency } from "../../src/core/card.ts";
import type { Cards } from "../../src/state/cards.ts";
import type { Claim } from "../../src/state/claims.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const second = 1000;
const group = -1001;
const person = 111;

let lastId = 0;
async function show(cards: Cards, clock: ManualClock, urgency: Urgency, count = 1, chatId = group): Promise<void> {
  for (let index = 0; index < count; index++) {
    lastId += 1;
    const card = { kind: "test", id: `${lastId}` };
    await cards.create(card, { n: 0 }, urgency, clock.now());
    await cards.place(card, { chatId }, urgency, clock.now());
  }
}

/** Takes and delivers everything that is possible now; returns the urgencies in their order, and the wait. */
async function drain(
  cards: Cards,
  clock: ManualClock,
): Promise<{ shown: Urgency[]; claims: Claim[]; waitMs: number | undefined }> {
  const claims: Claim[] = [];
  for (;;) {
    const claim = await cards.take(clock.now());
    if (!("placement" in claim)) return { shown: claims.map(({ urgency }) => urgency), claims, waitMs: claim.waitMs };
    claims.push(claim);
    await cards.done(claim, { messageId: claims.length, hash: `${claim.revision}`, spent: true }, clock.now());
  }
}

const count = (shown: readonly Urgency[], urgency: Urgency): number => shown.filter((one) => one === urgency).length;

describe("a group's budget", () => {
  test("is 20 in any 60 s, of which 5 are kept for criticals and replies, 3 of them for criticals alone", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "normal", 30);
    const first = await drain(cards, clock);
    expect(first.shown).toHaveLength(15);
    expect(first.waitMs).toBe(60 * second + 1);
    await show(cards, clock, "reply", 4);
    expect((await drain(cards, clock)).shown).toEqual(["reply", "reply"]);
    expect(await cards.spend(group, clock.now())).toBe(60 * second + 1);
    await show(cards, clock, "critical", 4);
    const urgent = await drain(cards, clock);
    expect(urgent.shown).toEqual(["critical", "critical", "critical"]);
    clock.advance(60 * second - 1);
    expect((await drain(cards, clock)).shown).toEqual([]);
    clock.advance(2);
    expect((await drain(cards, clock)).shown.slice(0, 3)).toEqual(["critical", "reply", "reply"]);
  });

  test("slides: what was sent earlier comes back earlier", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "critical", 10);
    await drain(cards, clock);
    clock.advance(30 * second);
    await show(cards, clock, "critical", 20);
    const half = await drain(cards, clock);
    expect(half.shown).toHaveLength(10);
    expect(half.waitMs).toBe(30 * second + 1);
    clock.advance(30 * second + 1);
    expect((await drain(cards, clock)).shown).toHaveLength(10);
    expect((await drain(cards, clock)).waitMs).toBeUndefined();
  });

  test("counts edits as sends, and replies beside the cards", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "normal");
    const card = { kind: "test", id: `${lastId}` };
    for (let edit = 0; edit < 10; edit++) {
      await cards.update<{ n: number }>(card, "critical", clock.now(), ({ n }) => ({ n: n + 1 }));
      expect((await drain(cards, clock)).shown).toHaveLength(1);
    }
    for (let reply = 0; reply < 7; reply++) expect(await cards.spend(group, clock.now())).toBe(0);
    expect(await cards.spend(group, clock.now())).toBe(60 * second + 1);
    await show(cards, clock, "critical", 4);
    expect((await drain(cards, clock)).waitMs).toBe(60 * second + 1);
  });

  test("gets back what was claimed and not spent", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    for (let index = 0; index < 40; index++) {
      await show(cards, clock, "normal");
      const claim = await cards.take(clock.now());
      if (!("placement" in claim)) throw new Error("nothing to take");
      await cards.done(claim, { messageId: 1, hash: "same", spent: false }, clock.now());
    }
    await show(cards, clock, "normal", 20);
    expect((await drain(cards, clock)).shown).toHaveLength(15);
  });

  test("does not touch another chat's", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "normal", 30);
    await drain(cards, clock);
    await show(cards, clock, "normal", 3, -2002);
    expect((await drain(cards, clock)).claims.map((claim) => claim.target.chatId)).toEqual([-2002, -2002, -2002]);
  });

  test("is the same for many bots that take at once", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "normal", 40);
    const claims = await Promise.all(Array.from({ length: 40 }, () => cards.take(clock.now())));
    expect(claims.filter((claim) => "placement" in claim)).toHaveLength(15);
  });

  test("is there again when the clock was set back", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "critical", 20);
    const { claims } = await drain(cards, clock);
    clock.advance(-3_600_000);
    const card = claims[0]?.card;
    if (!card) throw new Error("nothing was shown");
    await cards.update<{ n: number }>(card, "progress", clock.now(), ({ n }) => ({ n: n + 1 }));
    expect((await drain(cards, clock)).shown).toEqual(["progress"]);
    expect(await cards.spend(group, clock.now())).toBe(0);
  });

  test("in any minute is not exceeded, whatever comes when", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    const sent: number[] = [];
    const levels = ["critical", "reply", "normal", "progress"] as const;
    for (let step = 0; step < 60; step++) {
      await show(cards, clock, levels[step % 4] ?? "normal", 3);
      for (const _ of (await drain(cards, clock)).shown) sent.push(clock.now().getTime());
      clock.advance(((step * 7919) % 13) * second);
    }
    const inMinuteFrom = (at: number): number => sent.filter((other) => other >= at && other < at + 60 * second).length;
    expect(Math.max(...sent.map(inMinuteFrom))).toBe(20);
  });

  test("counts a message from when it has arrived, as Telegram does, not from when it was begun", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "critical", 21);
    for (let messageId = 1; messageId <= 20; messageId++) {
      const claim = await cards.take(clock.now());
      if (!("placement" in claim)) throw new Error("nothing to take");
      clock.advance(300);
      await cards.done(claim, { messageId, hash: "x", spent: true }, clock.now());
    }
    // The first one was begun 6 s ago and arrived 300 ms after that.
    expect(await cards.take(clock.now())).toEqual({ waitMs: 60_000 - 20 * 300 + 300 + 1 });
  });
});

describe("a person's budget", () => {
  test("is a burst of 20 and then one a second, 5 of them kept for criticals and replies", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "normal", 30, person);
    const first = await drain(cards, clock);
    expect(first.shown).toHaveLength(15);
    expect(first.waitMs).toBe(20 * second + 1);
    await show(cards, clock, "reply", 9, person);
    expect((await drain(cards, clock)).shown).toHaveLength(2);
    clock.advance(20 * second + 1);
    expect(count((await drain(cards, clock)).shown, "reply")).toBe(7);
  });
});

describe("a chat that Telegram has blocked by 429", () => {
  test("gets nothing until then, not even criticals and replies; the others do", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "critical");
    await show(cards, clock, "normal", 1, person);
    await cards.block(group, new Date(clock.now().getTime() + 17 * second));
    expect((await drain(cards, clock)).claims.map((claim) => claim.target.chatId)).toEqual([person]);
    expect((await drain(cards, clock)).waitMs).toBe(17 * second);
    expect(await cards.spend(group, clock.now())).toBe(17 * second);
    clock.advance(17 * second);
    expect((await drain(cards, clock)).shown).toEqual(["critical"]);
    expect(await cards.spend(group, clock.now())).toBe(0);
  });

  test("is blocked for as long as the longest answer said", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "critical");
    await cards.block(group, new Date(clock.now().getTime() + 30 * second));
    await cards.block(group, new Date(clock.now().getTime() + 3 * second));
    expect((await drain(cards, clock)).waitMs).toBe(30 * second);
  });
});

describe("between two edits of one card", () => {
  test.each([
    ["critical", 0],
    ["reply", 0],
    ["normal", 1000],
    ["progress", 4000],
  ] as const)("%s waits %i ms", async (urgency, interval) => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "progress");
    const [claim] = (await drain(cards, clock)).claims;
    if (!claim) throw new Error("nothing was shown");
    await cards.update<{ n: number }>(claim.card, urgency, clock.now(), ({ n }) => ({ n: n + 1 }));
    const again = await drain(cards, clock);
    expect(again.shown).toEqual(interval === 0 ? [urgency] : []);
    expect(again.waitMs).toBe(interval === 0 ? undefined : interval);
    clock.advance(interval);
    expect([...again.shown, ...(await drain(cards, clock)).shown]).toEqual([urgency]);
  });

  test("urgent news does not wait for progress that was just shown", async () => {
    const [cards, clock] = [fixture.cards(), new ManualClock()];
    await show(cards, clock, "progress");
    const [claim] = (await drain(cards, clock)).claims;
    if (!claim) throw new Error("nothing was shown");
    for (const urgency of ["progress", "reply"] as const)
      await cards.update<{ n: number }>(claim.card, urgency, clock.now(), ({ n }) => ({ n: n + 1 }));
    expect((await drain(cards, clock)).shown).toEqual(["reply"]);
  });
});
