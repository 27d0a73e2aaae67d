import { AppError } from "../../core/errors.ts";
import type { Lease } from "../../core/ports.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { RestoreDeps } from "./deps.ts";

/** The right to work on one restore, and on its target, for as long as it is held. */
export interface RestoreSession extends AsyncDisposable {
  /** Grows with every worker that takes it over. */
  readonly fence: number;
  /** Aborted when one of both was lost, or by the signal that was given. */
  readonly signal: AbortSignal;
  isHeld(): boolean;
}

const pollMs = 200;

/**
 * Waits for a worker that may still be at the same restore. Rejects with `busy` when another one holds the target, naming it.
 */
export async function takeSession(
  { leases, config }: Pick<RestoreDeps, "leases" | "config">,
  restoration: Restoration,
  signal: AbortSignal,
): Promise<RestoreSession> {
  const { id } = restoration;
  const ttlMs = config.worker.lease;
  const own = await leases.acquire(workName(id), { ttlMs, holder: id, signal, pollMs });
  try {
    const target = await targetOf(leases, restoration, { ttlMs, signal });
    return sessionOf(own, target, signal);
  } catch (error) {
    await own.release();
    throw error;
  }
}

/** The right to work on one restore where its target is not touched; undefined while somebody else has it. */
export async function tryWork(
  { leases, config }: Pick<RestoreDeps, "leases" | "config">,
  id: string,
  signal: AbortSignal,
): Promise<RestoreSession | undefined> {
  const own = await leases.tryAcquire(workName(id), { ttlMs: config.worker.lease, holder: id });
  return own && sessionOf(own, undefined, signal);
}

/** The right to work on a target, for one who has the right to work on the restore. */
export async function takeTarget(
  { leases, config }: Pick<RestoreDeps, "leases" | "config">,
  restoration: Restoration,
  signal: AbortSignal,
): Promise<Lease> {
  return await targetOf(leases, restoration, { ttlMs: config.worker.lease, signal });
}

async function targetOf(
  leases: RestoreDeps["leases"],
  { id, kind, preflight, roles }: Restoration,
  options: { readonly ttlMs: number; readonly signal: AbortSignal },
): Promise<Lease> {
  // Of a server all roles are one target.
  const { system = "", database } = preflight?.identity ?? { system: roles?.look.system, database: "roles" };
  const name = `restore-target:${kind}:${system}:${database}`;
  const held = await leases.tryAcquire(name, { ttlMs: options.ttlMs, holder: id });
  if (held) return held;
  const other = await leases.holder(name);
  // What a killed worker of the same restore has held ends by itself.
  if (other === undefined || other === id) return await leases.acquire(name, { ...options, holder: id, pollMs });
  const text = { key: "error-restoration-target-busy", args: { id: other, target: preflight?.database ?? database } };
  throw new AppError("busy", `restore ${other} works on the same target`, { permanent: false, text });
}

function workName(id: string): string {
  return `restoration:${id}`;
}

function sessionOf(own: Lease, target: Lease | undefined, signal: AbortSignal): RestoreSession {
  const both = target ? [own, target] : [own];
  return {
    fence: own.token,
    signal: AbortSignal.any([signal, ...both.map((lease) => lease.signal)]),
    isHeld: () => both.every((lease) => lease.isHeld()),
    [Symbol.asyncDispose]: async () => {
      for (const lease of both.toReversed()) await lease.release();
    },
  };
}
