import type { Config } from "../../app/config.ts";
import type { ChatTarget } from "../../core/card.ts";
import { type Incident, matchLabels } from "../../core/incident.ts";
import { type Route, routeFor } from "../../core/route.ts";
import type { Cards } from "../../state/cards.ts";

type RoutingConfig = Pick<Config, "alerts" | "telegram">;

/** The route of an incident; undefined: the first chat, with every sound. */
export function routeOf(
  config: Pick<Config, "alerts">,
  incident: Pick<Incident, "labels" | "severity" | "source">,
): Route | undefined {
  return routeFor(config.alerts.routes, matchLabels(incident));
}

/** A configured chat and topic as Telegram knows them; undefined in a process that has no chats. */
export function placeOf(
  { telegram }: Pick<Config, "telegram">,
  place: { readonly chat?: string | undefined; readonly topic?: string | undefined } = {},
): ChatTarget | undefined {
  const chats = telegram?.chats ?? {};
  const chat = place.chat === undefined ? Object.values(chats)[0] : chats[place.chat];
  if (!chat) return undefined;
  const threadId = place.topic === undefined ? undefined : chat.topics[place.topic];
  return { chatId: chat.id, ...(threadId === undefined ? {} : { threadId }) };
}

/** Where an incident is shown, under the chat's id of now. */
export async function targetOf(
  deps: { readonly config: RoutingConfig; readonly cards: Pick<Cards, "resolveChat"> },
  incident: Pick<Incident, "labels" | "severity" | "source">,
): Promise<ChatTarget | undefined> {
  const target = placeOf(deps.config, routeOf(deps.config, incident));
  return target && { ...target, chatId: await deps.cards.resolveChat(target.chatId) };
}
