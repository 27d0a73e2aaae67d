import type { ChatTarget } from "../../core/card.ts";
import { isOpen } from "../../core/incident.ts";
import { targetName } from "../../state/incidents.ts";
import type { KeeperDeps } from "./keeper.ts";
import { targetOf } from "./routing.ts";

/**
 * After Telegram could not be reached: when more incidents wait to be shown in a chat than a storm takes, those that
 * nobody has seen share one card, the firing criticals excepted. Returns how many were put together.
 */
export async function foldBacklog(deps: KeeperDeps, since: Date): Promise<number> {
  const { incidents, storms, config, clock, logger } = deps;
  const now = clock.now();
  const waiting = new Map<string, { readonly target: ChatTarget; readonly ids: string[] }>();
  const candidates = [...(await incidents.open()), ...(await incidents.endedSince(since, 10_000))].filter(
    (incident) => Date.parse(incident.heardAt) >= since.getTime(),
  );
  for (const incident of candidates) {
    if (incident.severity === "critical" && isOpen(incident)) continue;
    if (!(await deps.cards.isUnseen(incidents.ref(incident.id)))) continue;
    const target = await targetOf(deps, incident);
    if (!target) continue;
    const name = targetName(target);
    const group = waiting.get(name) ?? { target, ids: [] };
    group.ids.push(incident.id);
    waiting.set(name, group);
  }
  let folded = 0;
  for (const { target, ids } of waiting.values()) {
    if (ids.length <= config.alerts.storm.incidents) continue;
    const storm = await storms.openLate(target, since, now);
    for (const incident of await incidents.readAll(ids)) if (await incidents.fold(incident, storm, now)) folded += 1;
    logger.warn({ storm, incidents: ids.length }, "the backlog became one card");
  }
  return folded;
}
