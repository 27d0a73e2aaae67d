import { setTimeout as sleep } from "node:timers/promises";
import { AppError, toAppError } from "../../core/errors.ts";
import { preRestorePin } from "../../core/proof.ts";
import type { Restoration } from "../../core/restoration.ts";
import { type BackupRun, isFinal } from "../../core/run.ts";
import type { BackupReader } from "../../sources/types.ts";
import { openSound } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";

const pollMs = 500;

/**
 * Backs up what is live, as its own backup would, and pins that. Carried out here, whoever else is busy: an order of the
 * same name that is under way is waited for. `ordered` is awaited as soon as its run is known. `before`: the restore
 * itself, or that it is taken back. After a kill what was made for an earlier attempt does for the next one too, unless it
 * is the only way back: what was written meanwhile would be in neither.
 * @throws AppError what its failure was, with the step "backup".
 */
export async function backUpBefore(
  deps: RestoreDeps,
  restoration: Restoration,
  what: Before,
  signal: AbortSignal,
  ordered: (run: BackupRun) => Promise<void>,
): Promise<void> {
  const { orders, runner, runs } = deps;
  const { id, requestedBy } = restoration;
  const { run, replaces } = await orderBefore(deps, restoration, what);
  await ordered(run);
  try {
    for (;;) {
      signal.throwIfAborted();
      const current = await runs.get(run.id);
      if (isFinal(current.status)) {
        if (current.status === "failed" || current.status === "cancelled") throw notMade(current);
        break;
      }
      const outcome = await runner.execute(run.id, { signal, jobId: `restore-${id}`, attempt: 1, maxAttempts: 1 });
      if ("later" in outcome) await sleep(Math.min(outcome.later, pollMs), undefined, { signal });
    }
  } catch (error) {
    // Nobody needs it any more; the worker that may have taken it up notices within a second.
    const { code } = toAppError(signal.aborted ? signal.reason : error);
    if (code === "cancelled") await orders.cancel(run.id, restoration.cancelRequestedBy ?? requestedBy);
    throw error;
  }
  await pinFormer(deps, restoration, run.id);
  if (replaces !== undefined) await unpin(deps, restoration, replaces);
}

interface Before {
  readonly before: "restore" | "undo";
  readonly attempt: number;
}

/** Its order, once for each approval; `replaces`: of an earlier attempt, and of no use any more. */
async function orderBefore(
  { orders }: Pick<RestoreDeps, "orders">,
  restoration: Restoration,
  { before, attempt }: Before,
): Promise<{ readonly run: BackupRun; readonly replaces?: string | undefined }> {
  const { id, name, chat, undo = {} } = restoration;
  const { approval = "", former } = before === "undo" ? undo : restoration;
  const requestedBy = (before === "undo" ? undo.by : undefined) ?? restoration.requestedBy;
  const source = `${before}-before:${id}:${approval}`;
  const order = { name, trigger: `before-${before}`, restoration: id, requestedBy, target: chat } as const;
  const { run, created } = await orders.request({ ...order, source });
  const isStale = attempt > 1 && !created && isMade(run) && restoration.preflight?.wayBack === "former";
  if (!isStale) return { run };
  return { run: (await orders.request({ ...order, source: `${source}:${attempt}` })).run, replaces: former };
}

function isMade({ status }: BackupRun): boolean {
  return status === "succeeded" || status === "degraded";
}

/** Pins it in every storage that holds it. The retention keeps it in any case for as long as the way back is open. */
async function pinFormer(deps: RestoreDeps, { name, id, requestedBy }: Restoration, run: string): Promise<void> {
  const by = { id: requestedBy.id, name: preRestorePin };
  await deps.pinOrders.request({ name, run, pinned: true, by, reason: id }).catch((error: unknown) => {
    const { message } = toAppError(error);
    deps.logger.warn({ restoration: id, run, error: message }, "the backup made before is not pinned in its storages");
  });
}

/** The way back is closed: unless a person has pinned it meanwhile, it is a backup like any other. */
export async function unpinFormer(deps: UnpinDeps, restoration: Restoration): Promise<void> {
  for (const former of [restoration.former, restoration.undo?.former])
    if (former !== undefined) await unpin(deps, restoration, former);
}

type UnpinDeps = Pick<RestoreDeps, "catalogue" | "pinOrders" | "logger">;

async function unpin(
  { catalogue, pinOrders, logger }: UnpinDeps,
  { name, id, requestedBy }: Restoration,
  former: string,
): Promise<void> {
  try {
    const entry = await catalogue.find(name, former);
    if (!entry) return;
    const copies = await catalogue.copiesOf(name, entry.folder);
    if (copies.some(([, { pin }]) => pin && pin.by !== preRestorePin)) return;
    await pinOrders.request({ name, run: former, pinned: false, by: { id: requestedBy.id, name: preRestorePin } });
  } catch (error) {
    if (toAppError(error).code === "redis") throw error;
    logger.warn({ restoration: id, run: former, error: toAppError(error).message }, "the backup stays pinned");
  }
}

/** What reads the backup that was made before. */
export async function formerReader(
  deps: RestoreDeps,
  { former, name }: Restoration,
  signal: AbortSignal,
): Promise<BackupReader | undefined> {
  const run = former === undefined ? undefined : await deps.runs.read(former);
  const folder = run?.folder ?? (former === undefined ? undefined : (await deps.catalogue.find(name, former))?.folder);
  if (former === undefined || folder === undefined) return undefined;
  const backup = { name, backup: former, folder, backupAt: run?.startedAt ?? deps.clock.now().toISOString() };
  return (await openSound(deps, backup, { signal })).reader;
}

function notMade({ id, status, error }: BackupRun): AppError {
  const reason = error?.message ?? status;
  return new AppError("source-failed", `what is live could not be backed up before (${reason}): nothing was changed`, {
    context: { step: "backup", ...(error?.stderr === undefined ? {} : { stderr: error.stderr }) },
    text: { key: "error-restoration-backup", args: { run: id, reason } },
  });
}
