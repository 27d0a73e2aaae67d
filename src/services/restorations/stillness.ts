import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../../core/ports.ts";
import type { Restoration } from "../../core/restoration.ts";
import { restoreHolder } from "../backup/holders.ts";
import type { RestoreDeps } from "./deps.ts";

/** A swap outlives an outage of Redis of this length; milliseconds. */
const lostAfterMs = 15 * 60_000;
const pollMs = 500;

/**
 * Takes the lease of the backup's name, so that none is begun while what it reads is being replaced. One that is under way
 * is waited for, since it would be cut off: `waiting` is told what for, by the name of its holder, and that it is over.
 */
export async function holdBackups(
  { leases, config }: Pick<RestoreDeps, "leases" | "config">,
  { id, name }: Pick<Restoration, "id" | "name">,
  signal: AbortSignal,
  waiting: (holder: string | undefined) => Promise<void>,
): Promise<Lease> {
  const lease = `backup:${name}`;
  const options = { ttlMs: config.worker.lease, lostAfterMs, holder: `${restoreHolder}${id}` };
  let told: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const held = await leases.tryAcquire(lease, options);
    if (held) {
      if (told !== undefined) await waiting(undefined);
      return held;
    }
    const other = await leases.holder(lease);
    if (other !== undefined && other !== told) {
      told = other;
      await waiting(other);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/** That it waits for another one's work, on its card. */
export function waitingFor(current: Restoration, holder: string | undefined): Restoration {
  const { waitsFor: _, ...restoration } = current;
  return holder === undefined ? restoration : { ...restoration, waitsFor: holder };
}
