import { describe, expect, test } from "vitest";
import { bump, deliver, group, ref, show, take, waitOf } from "../support/cards.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const second = 1000;

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
    const messageId = await deliver(cards, clock, claim);
    expect(await cards.backlog()).toBe(1);
    clock.advance(second);
    const next = await take(cards, clock);
    expect(next).toMatchObject({ revision: 2, messageId, renderedHash: "r1" });
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
