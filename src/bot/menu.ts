import type { Api } from "grammy";
import type { BotCommand } from "grammy/types";
import { hasRole, type Role } from "../core/roles.ts";
import { type Locale, messagesOf } from "../messages/index.ts";
import { commands } from "./commands/index.ts";
import type { BotDeps } from "./context.ts";
import { readFailure } from "./telegram-error.ts";

type MenuDeps = Pick<BotDeps, "config" | "cards" | "languages" | "logger">;

/** What a role may use, in a language. */
function menu(role: Role, locale: Locale): BotCommand[] {
  return commands
    .filter((command) => command.name !== "start" && hasRole(role, command.role))
    .map((command) => ({ command: command.name, description: messagesOf(locale).plain(`command-${command.name}`) }));
}

/**
 * Sets the command menu of every configured chat and of every listed person's private chat. A chat that Telegram does
 * not know (the person never wrote) is passed over; what got no answer at all is thrown, to be tried again.
 */
export async function publishMenus(api: Api, deps: MenuDeps): Promise<void> {
  const { config } = deps;
  for (const chat of Object.values(config.telegram.chats))
    await setMenu(api, deps, await deps.cards.resolveChat(chat.id), menu("admin", chat.locale ?? config.locale));
  for (const user of config.telegram.users) {
    const locale = (await deps.languages.read(user.id)) ?? user.locale ?? config.locale;
    await publishOwnMenu(api, deps, { ...user, locale });
  }
}

/** Sets the menu of a person's private chat. */
export async function publishOwnMenu(
  api: Api,
  deps: Pick<BotDeps, "logger">,
  person: { readonly id: number; readonly role: Role; readonly locale: Locale },
): Promise<void> {
  await setMenu(api, deps, person.id, menu(person.role, person.locale));
}

async function setMenu(
  api: Api,
  deps: Pick<BotDeps, "logger">,
  chatId: number,
  entries: readonly BotCommand[],
): Promise<void> {
  try {
    await api.setMyCommands(entries, { scope: { type: "chat", chat_id: chatId } });
  } catch (error) {
    const failure = readFailure(error);
    if (failure.kind === "passing" || failure.kind === "retry-after") throw error;
    deps.logger.debug({ chat: chatId, failure }, "the menu of a chat could not be set");
  }
}
