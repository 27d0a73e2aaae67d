import type { Config } from "../../app/config.ts";
import { reliableTime } from "../../core/polls.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import type { ServerStates } from "../../state/servers.ts";

export interface ServerUpkeepDeps {
  readonly config: Pick<Config, "servers">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverStates: ServerStates;
  readonly serverHistory: ServerHistory;
}

/** A server that is in no configuration any more is forgotten after this long; milliseconds. */
const forgetAfterMs = 30 * 24 * 3_600_000;
/** How often what is old is looked for; milliseconds. */
const sweepEveryMs = 3_600_000;

/** What the history of servers needs by the clock: who is known, hours made of readings, what is old removed. */
export async function keepServers(deps: ServerUpkeepDeps): Promise<void> {
  const { serverStates, serverHistory, clock, logger } = deps;
  const now = clock.now();
  const swept = await serverStates.sweptAt();
  const time = reliableTime(swept?.time, now);
  const forgotten = await register(deps, time);
  const away = now.getTime() - (swept?.at.getTime() ?? Number.NEGATIVE_INFINITY);
  // A clock that was set back must not stop it.
  const isDue = away < 0 || away >= sweepEveryMs;
  await serverStates.setSwept(isDue ? now : (swept?.at ?? now), time);
  if (forgotten.length > 0) logger.info({ servers: forgotten }, "servers that are configured no more are forgotten");
  if (!isDue) return;
  const names = [...(await serverStates.known()).keys()];
  for (const name of names) await serverHistory.fold(name, now);
  await serverHistory.sweep(names, time);
}

/** Notes who is new and who has left; forgets who has left long ago. Returns those. */
async function register({ config, serverStates, serverHistory }: ServerUpkeepDeps, now: Date): Promise<string[]> {
  const known = await serverStates.known();
  const configured = new Set(config.servers.map(({ name }) => name));
  const forgotten: string[] = [];
  for (const name of configured) {
    const its = known.get(name);
    if (!its) await serverStates.setKnown(name, { since: now });
    else if (its.goneSince) await serverStates.setKnown(name, { since: its.since });
  }
  for (const [name, { since, goneSince }] of known) {
    if (configured.has(name)) continue;
    // What a wrong clock has told begins when it is told again.
    if (!goneSince || goneSince > now) await serverStates.setKnown(name, { since, goneSince: now });
    else if (now.getTime() - goneSince.getTime() >= forgetAfterMs) forgotten.push(name);
  }
  await serverHistory.forget(forgotten);
  await serverStates.forget(forgotten);
  return forgotten;
}
