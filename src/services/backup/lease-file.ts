import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import type { Storage } from "../../storages/types.ts";

/** Milliseconds that a lease file counts without being renewed. */
const leaseMs = 15 * 60_000;
const renewEveryMs = 5 * 60_000;
const requestMs = 30_000;

const leaseSchema = z.object({
  version: z.literal(1),
  /** What it is held for: "backup", "prune", "restore", "copy". */
  work: z.string(),
  host: z.string(),
  process: z.string(),
  /** ISO 8601. */
  until: z.iso.datetime(),
  /** Redis keeps it apart from the others of which this is said as well. */
  byRedis: z.literal(true).exactOptional(),
});
type LeaseFile = z.infer<typeof leaseSchema>;

const leaseKey = /^[a-z0-9][a-z0-9_-]{0,62}\/lease-[0-9a-f]{16}\.json$/;

/** What one is held for. `restore`, `copy`: backups are read, and must not be removed meanwhile. */
export type LeaseWork = "backup" | "prune" | "restore" | "copy";

export interface LeaseFileOptions {
  /** Of the backup. */
  readonly name: string;
  readonly work: LeaseWork;
  readonly host: string;
  readonly signal: AbortSignal;
  /** Held beside a lease in Redis: for those who know no Redis. */
  readonly byRedis?: true;
}

/**
 * Takes a backup's name in a storage where no Redis keeps two programs from working on it: `<name>/lease-<random>.json`,
 * beside the backups' folders. Everyone writes their own and then looks for others', so that of two who begin at once
 * none goes on. Rejects with `busy`, naming the other; who only reads backups and who makes them do not disturb each
 * other, who removes them disturbs both. A file that was not renewed for 15 minutes, or whose process on this machine has
 * ended, counts for nothing and is removed. Disposing removes the own one.
 */
export async function takeLeaseFile(storage: Storage, options: LeaseFileOptions): Promise<AsyncDisposable> {
  const { name, work, host, signal, byRedis } = options;
  const key = `${name}/lease-${randomBytes(8).toString("hex")}.json`;
  const write = async (): Promise<void> => {
    const until = new Date(Date.now() + leaseMs).toISOString();
    const lease: LeaseFile = {
      version: 1,
      work,
      host,
      process: processIdentity(),
      until,
      ...(byRedis ? { byRedis } : {}),
    };
    const bytes = new TextEncoder().encode(`${JSON.stringify(lease, undefined, 2)}\n`);
    await storage.put(key, bytes, AbortSignal.any([signal, AbortSignal.timeout(requestMs)]));
  };
  const remove = async (): Promise<void> => {
    await storage.delete([key], AbortSignal.timeout(requestMs)).catch(() => undefined);
  };
  await write();
  try {
    const other = await findOther(
      storage,
      name,
      signal,
      (lease, each) => each === key || (byRedis && lease.byRedis) || canWorkBeside(work, lease.work),
    );
    if (other) throw busy(storage, name, other);
  } catch (error) {
    await remove();
    throw error;
  }
  // One that could not be renewed is renewed the next time: it counts for longer than twice.
  let renewing = Promise.resolve();
  const timer = setInterval(() => {
    renewing = write().catch(() => undefined);
  }, renewEveryMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await renewing;
      await remove();
    },
  };
}

/** As `takeLeaseFile`, in all that can be reached: a storage out of reach is told by whoever writes into it. */
export async function takeLeaseFiles(
  storages: readonly Storage[],
  options: LeaseFileOptions,
): Promise<AsyncDisposable> {
  const leases = new AsyncDisposableStack();
  try {
    for (const storage of storages) {
      const lease = await takeLeaseFile(storage, options).catch((error: unknown) => {
        options.signal.throwIfAborted();
        if (isBusy(error)) throw error;
        return undefined;
      });
      if (lease) leases.use(lease);
    }
    return leases;
  } catch (error) {
    await leases.disposeAsync();
    throw error;
  }
}

/** The same, waiting for the others to end; rejects with `busy` when that takes longer than a lease file lasts. */
export async function awaitLeaseFiles(
  storages: readonly Storage[],
  options: LeaseFileOptions & { readonly everyMs?: number },
): Promise<AsyncDisposable> {
  const { everyMs = 15_000, signal } = options;
  const latest = Date.now() + leaseMs + renewEveryMs;
  for (;;) {
    try {
      return await takeLeaseFiles(storages, options);
    } catch (error) {
      if (!isBusy(error) || Date.now() > latest) throw error;
    }
    await sleep(everyMs, undefined, { signal });
  }
}

/** Whether a program that knows no Redis works on that name in the storage. */
export async function isLeasedByFile(storage: Storage, name: string, signal: AbortSignal): Promise<boolean> {
  return (await findOther(storage, name, signal, ({ byRedis }) => byRedis)) !== undefined;
}

/** Reading goes along with anything but removal: a restore does not wait for a backup, nor for another restore. */
function canWorkBeside(work: LeaseWork, other: string): boolean {
  const isReading = (one: string): boolean => one === "restore" || one === "copy";
  if (isReading(work)) return other !== "prune";
  return isReading(other) && work !== "prune";
}

function isBusy(error: unknown): boolean {
  return error instanceof AppError && error.code === "busy";
}

/** `skip`: those that do not count. */
async function findOther(
  storage: Storage,
  name: string,
  signal: AbortSignal,
  skip: (lease: LeaseFile, key: string) => boolean | undefined,
): Promise<LeaseFile | undefined> {
  const stale: string[] = [];
  let found: LeaseFile | undefined;
  for await (const { key } of storage.list(`${name}/lease-`, signal)) {
    if (!leaseKey.test(key)) continue;
    const lease = await readLease(storage, key, signal);
    if (!lease) continue;
    if (Date.parse(lease.until) < Date.now() || hasEnded(lease.process)) stale.push(key);
    else if (!skip(lease, key)) found ??= lease;
  }
  if (stale.length > 0) await storage.delete(stale, signal);
  return found;
}

/** Undefined for what is gone by now, or is no lease of ours. */
async function readLease(storage: Storage, key: string, signal: AbortSignal): Promise<LeaseFile | undefined> {
  try {
    const text = (await buffer(await storage.read(key, signal))).toString("utf8");
    return leaseSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof AppError && error.code === "not-found")) return undefined;
    throw error;
  }
}

function busy(storage: Storage, name: string, { work, host, until }: LeaseFile): AppError {
  const message = `${name} in ${storage.name} is being worked on (${work} on ${host}); without a sign of life it is free after ${until}`;
  const args = { name, storage: storage.name, work, host, until };
  return new AppError("busy", message, { permanent: false, text: { key: "error-lease-file", args } });
}
