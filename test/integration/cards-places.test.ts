import { describe, expect, test } from "vitest";
import type { CardRef } from "../../src/state/card-ref.ts";
import type { Cards } from "../../src/state/cards.ts";
import type { Claim } from "../../src/state/claims.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const group = -1001;
const supergroup = -1_001_000_000_999;
const card: CardRef = { kind: "test", id: "a" };
const bump = ({ n }: { n: number }): { n: number } => ({ n: n + 1 });

async function shown(chatId = group): Promise<{ cards: Cards; clock: ManualClock; claim: Claim }> {
  const [cards, clock] = [fixture.cards(), new ManualClock()];
  await cards.create(card, { n: 0 }, "normal", clock.now());
  await cards.place(card, { chatId }, "normal", clock.now());
  return { cards, clock, claim: await take(cards, clock) };
}

async function take(cards: Cards, clock: ManualClock): Promise<Claim> {
  const claim = await cards.take(clock.now());
  if (!("placement" in claim)) throw new Error(`nothing to take, wait ${claim.waitMs}`);
  return claim;
}

describe("a press", () => {
  test("on the card's message is its action; the button's token stays the same", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    expect(await cards.buttonToken(claim.placement, "cancel")).toBe(token);
    expect(await cards.buttonToken(claim.placement, "retry")).not.toBe(token);
    expect(Buffer.byteLength(`c:${token}`)).toBeLessThanOrEqual(64);
    await cards.done(claim, { messageId: 5, hash: "h", spent: true }, clock.now());
    expect(await cards.press(token, group, 5, clock.now())).toEqual({
      placement: claim.placement,
      card,
      action: "cancel",
      adopted: false,
    });
  });

  test("on another copy is a stray one and changes nothing", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    await cards.done(claim, { messageId: 5, hash: "h", spent: true }, clock.now());
    expect(await cards.press(token, group, 4, clock.now())).toBe("stray");
    expect(await cards.press(token, group, 5, clock.now())).toMatchObject({ action: "cancel" });
    // Nobody had it on record: from now on it waits to lose its buttons, however often it is pressed.
    expect(await cards.press(token, group, 4, clock.now())).toBe("stray");
    clock.advance(1000);
    const again = await take(cards, clock);
    expect(again).toMatchObject({ messageId: 5, stray: 4 });
    await cards.done(again, { messageId: 5, hash: "h", spent: true, stripped: true }, clock.now());
    clock.advance(1000);
    expect(await cards.take(clock.now())).toEqual({ waitMs: undefined });
  });

  test("adopts the message while none is recorded, and the copy that comes later is the stray one", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    expect(await cards.press(token, group, 4, clock.now())).toMatchObject({ action: "cancel", adopted: true });
    expect(await cards.press(token, group, 4, clock.now())).toMatchObject({ adopted: false });
    expect(await cards.done(claim, { messageId: 5, hash: "h", spent: true }, clock.now())).toBe(4);
    expect(await cards.press(token, group, 5, clock.now())).toBe("stray");
    clock.advance(1000);
    expect(await take(cards, clock)).toMatchObject({ messageId: 4, stray: 5 });
  });

  test("is adopted once when two copies are pressed at the same time", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    const answers = await Promise.all([4, 5, 6, 7].map((message) => cards.press(token, group, message, clock.now())));
    expect(answers.filter((answer) => answer === "stray")).toHaveLength(3);
  });

  test("with a token that was made up, of another placement, or in another chat is unknown", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    const other = await cards.place(card, { chatId: 111 }, "normal", clock.now());
    const [, secret] = token.split(".");
    for (const wrong of [
      "",
      ".",
      "x",
      `${claim.placement}.`,
      `${claim.placement}.x`,
      `${other}.${secret}`,
      `no.${secret}`,
    ])
      expect(await cards.press(wrong, group, 5, clock.now())).toBe("unknown");
    expect(await cards.press(token, 111, 5, clock.now())).toBe("unknown");
    expect((await take(cards, clock)).messageId).toBeUndefined();
  });
});

describe("a chat that refuses us", () => {
  test("is left alone, keeps what belongs there, and is served again when it is let in", async () => {
    const { cards, clock, claim } = await shown();
    await cards.fail(claim, { disable: "Forbidden: bot was kicked" });
    expect(await cards.disabledChats()).toEqual(new Map([[group, "Forbidden: bot was kicked"]]));
    await cards.update(card, "critical", clock.now(), bump);
    expect(await cards.take(clock.now())).toEqual({ waitMs: undefined });
    await cards.place(card, { chatId: 111 }, "normal", clock.now());
    expect((await take(cards, clock)).target.chatId).toBe(111);
    await cards.enableChat(group);
    expect(await cards.disabledChats()).toEqual(new Map());
    expect(await take(cards, clock)).toMatchObject({ revision: 2, target: { chatId: group } });
  });
});

describe("a group that becomes a supergroup", () => {
  test("takes its cards along, to be sent anew, wherever its old name is still used", async () => {
    const { cards, clock, claim } = await shown();
    await cards.done(claim, { messageId: 5, hash: "h", spent: true }, clock.now());
    await cards.update(card, "critical", clock.now(), bump);
    const moved = await take(cards, clock);
    await cards.migrate(group, supergroup);
    const again = await take(cards, clock);
    expect(again).toMatchObject({ revision: 2, urgency: "critical", target: { chatId: supergroup } });
    expect(again.messageId).toBeUndefined();
    expect(again.renderedHash).toBeUndefined();
    expect(moved.messageId).toBe(5);
    expect(await cards.resolveChat(group)).toBe(supergroup);
    expect(await cards.place(card, { chatId: group }, "normal", clock.now())).toBe(claim.placement);
  });

  test("does not take an answer for the old group as the id of the new message", async () => {
    const { cards, clock, claim } = await shown();
    await cards.migrate(group, supergroup);
    await cards.done(claim, { messageId: 5, hash: "h", spent: true }, clock.now());
    await cards.fail(claim, { retryAt: new Date(clock.now().getTime() + 60_000) });
    const again = await take(cards, clock);
    expect(again.target.chatId).toBe(supergroup);
    expect(again.messageId).toBeUndefined();
  });

  test("may do so twice", async () => {
    const { cards } = await shown();
    await cards.migrate(group, -2);
    await cards.migrate(-2, -3);
    expect(await cards.resolveChat(group)).toBe(-3);
    expect(await cards.resolveChat(-9)).toBe(-9);
  });

  test("keeps its buttons working in the new chat", async () => {
    const { cards, clock, claim } = await shown();
    const token = await cards.buttonToken(claim.placement, "cancel");
    await cards.migrate(group, supergroup);
    await cards.done(await take(cards, clock), { messageId: 1, hash: "h", spent: true }, clock.now());
    expect(await cards.press(token, supergroup, 1, clock.now())).toMatchObject({ action: "cancel" });
    expect(await cards.press(token, group, 5, clock.now())).toBe("unknown");
  });
});
