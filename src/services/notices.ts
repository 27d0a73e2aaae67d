import { createHash } from "node:crypto";
import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { Cards } from "../state/cards.ts";

/** A message for people, as a key and arguments so that everyone reads it in their language. */
export interface Notice {
  readonly message: string;
  readonly args: Readonly<Record<string, string | number>>;
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
  const now = deps.clock.now();
  const ref = { kind: "notice", id: createHash("sha256").update(occasion).digest("hex").slice(0, 12) };
  await deps.cards.create(ref, notice, "critical", now);
  const admins = telegram.users.filter((user) => user.role === "admin").map((user) => user.id);
  const chats = Object.values(telegram.chats).map((chat) => chat.id);
  for (const chatId of [...admins, ...chats])
    if (chatId !== notIn) await deps.cards.place(ref, { chatId }, "critical", now);
}
