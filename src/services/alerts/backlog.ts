import type { ChatTarget } from "../../core/card.ts";
import { isOpen } from "../../core/incident.ts";
import { turns } from "../../lib/turns.ts";
import { targetName } from "../../state/incidents.ts";
import type { KeeperDeps } from "./keeper.ts";
import { placeOf, routeOf } from "./routing.ts";

interface Waiting {
  readonly target: ChatTarget;
  /** Firing criticals that keep cards of their own. */
  own: number;
  readonly ids: string[];
  isFlooded: boolean;
}

/**
 * After Telegram could not be reached: when more incidents wait to be shown in a chat than a storm takes, those that
 * nobody has seen share one card, the firing criticals excepted, unless they too would be a storm: then the oldest of
 * them. Returns how many were put together.
 */
export async function foldBacklog(deps: KeeperDeps, since: Date): Promise<number> {
  const { incidents, storms, config, clock, logger } = deps;
  const now = clock.now();
  const limit = config.alerts.storm.incidents;
  let folded = 0;
  for (const { target, ids, isFlooded } of await gather(deps, since, limit)) {
    if (ids.length <= limit && !isFlooded) continue;
    const storm = await storms.openLate(target, since, now);
    folded += await incidents.fold(incidents.each(ids), storm, (incident) => routeOf(config, incident)?.silent, now);
    logger.warn({ storm, incidents: ids.length }, "the backlog became one card");
  }
  return folded;
}

/** What was heard since then and nobody has seen, by where it waits to be shown. */
async function gather(deps: KeeperDeps, since: Date, limit: number): Promise<Iterable<Waiting>> {
  const { incidents, config } = deps;
  const waiting = new Map<string, Waiting>();
  const ids = await incidents.unseen([
    ...(await incidents.openIds()),
    ...(await incidents.endedIdsSince(since, 10_000)),
  ]);
  const chats = new Map<number, number>();
  const turn = turns();
  for await (const incident of incidents.each([...ids])) {
    await turn();
    if (Date.parse(incident.heardAt) < since.getTime()) continue;
    const place = placeOf(config, routeOf(config, incident));
    if (!place) continue;
    const chatId = chats.get(place.chatId) ?? (await deps.cards.resolveChat(place.chatId));
    chats.set(place.chatId, chatId);
    const target = { ...place, chatId };
    const name = targetName(target);
    const group = waiting.get(name) ?? { target, own: 0, ids: [], isFlooded: false };
    waiting.set(name, group);
    const isUrgent = incident.severity === "critical" && isOpen(incident);
    if (isUrgent && group.own < limit) group.own += 1;
    else {
      group.ids.push(incident.id);
      group.isFlooded ||= isUrgent;
    }
  }
  return waiting.values();
}
