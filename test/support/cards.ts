import type { Urgency } from "../../src/core/card.ts";
import type { CardRef } from "../../src/state/card-ref.ts";
import type { Cards } from "../../src/state/cards.ts";
import type { Claim } from "../../src/state/claims.ts";
import type { ManualClock } from "./state.ts";

/** The chat of the tests' cards unless they say otherwise. */
export const group = { chatId: -1001 };

export const ref = (id: string | number): CardRef => ({ kind: "test", id: String(id) });

/** A card that is shown in a place; `urgency` is that of its news. */
export async function show(
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

/** Claims what is due now; fails when nothing is. */
export async function take(cards: Cards, clock: ManualClock): Promise<Claim> {
  const claim = await cards.take(clock.now());
  if (!("placement" in claim)) throw new Error(`nothing to take, wait ${claim.waitMs}`);
  return claim;
}

/** After how many milliseconds something is due; fails when something is due now. */
export async function waitOf(cards: Cards, clock: ManualClock): Promise<number | undefined> {
  const claim = await cards.take(clock.now());
  if ("placement" in claim) throw new Error(`took ${claim.card.id}`);
  return claim.waitMs;
}

let lastMessage = 0;

/** Records a claim as shown, a new message having the next id. Returns the id in force. */
export async function deliver(cards: Cards, clock: ManualClock, claim: Claim): Promise<number> {
  lastMessage += 1;
  const messageId = claim.messageId ?? lastMessage;
  return await cards.done(claim, { messageId, hash: `r${claim.revision}`, spent: true }, clock.now());
}

export const bump = (value: { n: number }): { n: number } => ({ n: value.n + 1 });
