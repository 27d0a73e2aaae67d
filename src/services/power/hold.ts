import type { Config } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { PowerOrder } from "../../core/power.ts";
import { settleMs } from "../../core/power-progress.ts";
import type { Person } from "../../core/run.ts";
import { type Alerts, silenceId } from "../alerts/alerts.ts";
import { findServer } from "./servers.ts";
import { aliasesOf } from "./surroundings.ts";

interface HoldDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly alerts: Alerts;
}

/** Should everything that could end it be gone, it ends by itself so long after the last moment; milliseconds. */
const marginMs = 5 * 60_000;

/** One for each time that it is asked for: a silence that has ended does not begin again. */
const sourceOf = ({ id, looks, intent }: PowerOrder): string => `power:${id}:${looks}:${intent?.tries ?? 0}`;

/** From now on alerts that the order explains are held back. */
export async function beginHold({ alerts, config, clock }: HoldDeps, order: PowerOrder): Promise<void> {
  const server = findServer(config, order.server);
  if (!server || !order.intent) return;
  await alerts.silence({
    by: personOf(order),
    durationMs: config.recovery.backWithin + settleMs + marginMs,
    hold: {
      server: order.server,
      aliases: aliasesOf(server, order.look),
      since: clock.now().toISOString(),
    },
    source: sourceOf(order),
  });
}

/** It is over: what still fires is shown. Harmless when done twice. */
export async function endHold({ alerts }: Pick<HoldDeps, "alerts">, order: PowerOrder): Promise<void> {
  const { intent } = order;
  if (!intent) return;
  for (let tries = 1; tries <= intent.tries; tries++) {
    try {
      await alerts.endSilence(silenceId(sourceOf({ ...order, intent: { ...intent, tries } })), personOf(order));
    } catch (error) {
      // Never begun, or forgotten with everything else.
      if (!(error instanceof AppError && error.code === "not-found")) throw error;
    }
  }
}

function personOf({ requestedBy }: PowerOrder): Person {
  return requestedBy ?? { id: 0, name: "Vakhta" };
}
