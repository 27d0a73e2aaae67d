import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { Cards } from "../state/cards.ts";
import { notifyAdmins } from "./notices.ts";

type ChatConfig = NonNullable<Config["telegram"]>["chats"][string];

/** The configured chat that a chat of Telegram's is, also after it has become a supergroup with another id. */
export async function configuredChat(
  deps: { readonly config: Config; readonly cards: Pick<Cards, "resolveChat"> },
  chatId: number,
): Promise<{ readonly name: string; readonly chat: ChatConfig } | undefined> {
  for (const [name, chat] of Object.entries(deps.config.telegram?.chats ?? {})) {
    if (chat.id === chatId || (await deps.cards.resolveChat(chat.id)) === chatId) return { name, chat };
  }
  return undefined;
}

/** A group became a supergroup: its cards move, and the admins are told to write the new id into the configuration. */
export async function moveChat(
  deps: { readonly config: Config; readonly cards: Cards; readonly clock: Clock },
  from: number,
  to: number,
): Promise<void> {
  const configured = await configuredChat(deps, from);
  await deps.cards.migrate(from, to);
  if (!configured) return;
  await notifyAdmins(deps, `chat-moved:${from}`, {
    message: "notice-chat-moved",
    args: { name: configured.name, from: String(from), to: String(to) },
  });
}
