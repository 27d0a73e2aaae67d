import { createHash } from "node:crypto";
import type { Config } from "../app/config.ts";
import type { ChatTarget, Urgency } from "../core/card.ts";
import type { Clock } from "../core/ports.ts";
import type { Text } from "../core/text.ts";
import type { Cards } from "../state/cards.ts";

/** A message for people, as a key and arguments so that everyone reads it in their language. */
export interface Notice {
  readonly message: string;
  readonly args: Readonly<Record<string, string | number | Text>>;
}

/** Puts a notice into chats, delivered as soon as Telegram takes it. The same `occasion` is told once. */
export async function notify(
  deps: { readonly cards: Cards; readonly clock: Clock },
  occasion: string,
  notice: Notice,
  targets: readonly ChatTarget[],
  urgency: Urgency,
): Promise<void> {
  const now = deps.clock.now();
  const ref = { kind: "notice", id: createHash("sha256").update(occasion).digest("hex").slice(0, 12) };
  await deps.cards.create(ref, notice, urgency, now);
  for (const target of targets) await deps.cards.place(ref, target, urgency, now);
}

/**
 * Tells all admins in their private chats and every configured chat except `notIn`. The same `occasion` is told once.
 */
export async function notifyAdmins(
  deps: { readonly config: Config; readonly cards: Cards; readonly clock: Clock },
  occasion: string,
  notice: Notice,
  notIn?: number,
): Promise<void> {
  const { telegram } = deps.config;
  if (!telegram) return;
  const admins = telegram.users.filter((user) => user.role === "admin").map((user) => user.id);
  const chats = Object.values(telegram.chats).map((chat) => chat.id);
  const targets: ChatTarget[] = [];
  for (const id of [...admins, ...chats]) {
    // A group that has become a supergroup is told under its new id.
    const chatId = await deps.cards.resolveChat(id);
    if (chatId !== notIn) targets.push({ chatId });
  }
  await notify(deps, occasion, notice, targets, "critical");
}
