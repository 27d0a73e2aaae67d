import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Urgency, urgencies } from "../../src/core/card.ts";
import type { CardRef } from "../../src/state/card-ref.ts";
import type { Cards } from "../../src/state/cards.ts";
import type { Claim } from "../../src/state/claims.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const bump = ({ n }: { n: number }): { n: number } => ({ n: n + 1 });
const refs = [0, 1, 2, 3].map((id): CardRef => ({ kind: "test", id: `${id}` }));

/** A chat, the cards in it, and three bots that deliver them with whatever goes wrong. */
class World {
  readonly clock = new ManualClock();
  readonly cards: Cards = fixture.cards();
  /** What the chat shows: message id to the card and its revision. */
  readonly chat = new Map<number, { card: string; revision: number }>();
  readonly #claims = new Map<number, Claim>();

  async open(): Promise<void> {
    for (const ref of refs) {
      await this.cards.create(ref, { n: 0 }, "normal", this.clock.now());
      await this.cards.place(ref, { chatId: -1001 }, "normal", this.clock.now());
    }
  }

  async save(card: number, urgency: Urgency): Promise<void> {
    const ref = refs[card];
    if (ref) await this.cards.update(ref, urgency, this.clock.now(), bump);
  }

  async take(bot: number): Promise<boolean> {
    const claim = await this.cards.take(this.clock.now());
    if ("placement" in claim) this.#claims.set(bot, claim);
    return "placement" in claim;
  }

  /** The message reaches the chat, and is recorded unless the bot dies in between. */
  async send(bot: number, recorded: boolean): Promise<void> {
    const claim = this.#drop(bot);
    if (!claim) return;
    const messageId = claim.messageId ?? this.chat.size + 1;
    this.chat.set(messageId, { card: claim.card.id, revision: claim.revision });
    // An older copy loses its buttons with the same delivery.
    const stripped = claim.stray === undefined ? {} : { stripped: true };
    const result = { messageId, hash: `${claim.revision}`, spent: true, ...stripped };
    if (recorded) await this.cards.done(claim, result, this.clock.now());
  }

  async fail(bot: number, how: "retry" | "forget"): Promise<void> {
    const claim = this.#drop(bot);
    const retryAt = new Date(this.clock.now().getTime() + 2000);
    if (claim) await this.cards.fail(claim, how === "retry" ? { retryAt } : { forget: true });
  }

  /** Whoever is left delivers until nothing is dirty any more. */
  async settle(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < 3; rounds++) {
      // Far more than there can be to do: what never ends is a fault, and one that can be shrunk.
      expect(rounds).toBeLessThan(300);
      this.clock.advance(61_000);
      quiet = (await this.take(0)) ? 0 : quiet + 1;
      await this.send(0, true);
    }
  }

  /** The card and revision that the message on record shows, per card. */
  async shown(): Promise<Map<string, { card: string; revision: number } | undefined>> {
    const result = new Map<string, { card: string; revision: number } | undefined>();
    for (const ref of refs) await this.cards.touch(ref, "critical", this.clock.now());
    for (const _ of refs) {
      const claim = await this.cards.take(this.clock.now());
      if ("placement" in claim) result.set(claim.card.id, this.chat.get(claim.messageId ?? 0));
    }
    return result;
  }

  #drop(bot: number): Claim | undefined {
    const claim = this.#claims.get(bot);
    this.#claims.delete(bot);
    return claim;
  }
}

const bot = fc.nat(2);
const step: fc.Arbitrary<(world: World) => unknown> = fc.oneof(
  fc.tuple(fc.nat(3), fc.constantFrom(...(Object.keys(urgencies) as Urgency[]))).map(
    ([card, urgency]) =>
      (world: World) =>
        world.save(card, urgency),
  ),
  bot.map((by) => (world: World) => world.take(by)),
  bot.map((by) => (world: World) => world.send(by, true)),
  fc.tuple(bot, fc.boolean()).map(
    ([by, recorded]) =>
      (world: World) =>
        world.send(by, recorded),
  ),
  fc.tuple(bot, fc.constantFrom("retry" as const, "forget" as const)).map(
    ([by, how]) =>
      (world: World) =>
        world.fail(by, how),
  ),
  fc.constantFrom(1, 500, 3000, 6000, 61_000).map((ms) => (world: World) => world.clock.advance(ms)),
);

test("whatever becomes of three bots, in the end the message on record shows the newest state of each card", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), async (steps) => {
      const world = new World();
      await world.open();
      for (const act of steps) await act(world);
      await world.settle();
      expect(await world.cards.backlog()).toBe(0);
      const newest = new Map<string, { card: string; revision: number }>();
      for (const ref of refs)
        newest.set(ref.id, { card: ref.id, revision: (await world.cards.read(ref))?.revision ?? 0 });
      expect(await world.shown()).toEqual(newest);
    }),
    { numRuns: 80 },
  );
});
