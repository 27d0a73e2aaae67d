import { AppError, toAppError } from "../../core/errors.ts";
import { applicableRoles, type GlobalsLook, globalsDigest } from "../../core/globals.ts";
import { neededBytes } from "../../core/manifest.ts";
import type { Restoration, RolesFound } from "../../core/restoration.ts";
import { redact, redactText } from "../../lib/redaction.ts";
import { findKind } from "../../sources/index.ts";
import type { BackupReader } from "../../sources/types.ts";
import { runError } from "../backup/run-error.ts";
import type { FoundCopy } from "../restore/choose.ts";
import { openSound } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";
import { restoreEntry } from "./entries.ts";
import { checkedBytes } from "./look.ts";
import { rolesIdentityOf } from "./roles-order.ts";
import type { RestoreSession } from "./session.ts";

/** How the roles of the live server differ from those of the backup, and by which manifest. Changes nothing. */
export async function lookAtRoles(
  deps: RestoreDeps,
  restoration: Restoration,
  signal: AbortSignal,
): Promise<{ readonly roles: RolesFound; readonly manifestSha256: string }> {
  const check = ({ manifest }: FoundCopy): boolean => neededBytes(manifest) <= checkedBytes;
  const { copy, reader, passedOver } = await openSound(deps, restoration, { check, signal });
  const found = await kindWithRoles(deps, restoration).look(reader, signal);
  const roles: RolesFound = {
    at: deps.clock.now().toISOString(),
    host: deps.host,
    storage: copy.storage.name,
    location: copy.storage.location,
    passedOver: passedOver.map((one) => ({ ...one, reason: redactText(one.reason) })),
    look: withoutSecrets(found),
    digest: globalsDigest(found),
  };
  return { roles, manifestSha256: copy.manifestSha256 };
}

/** What is agreed to: the backup, the server, and how its roles differ at this moment. */
export async function rolesIdentity(
  deps: RestoreDeps,
  restoration: Restoration,
  signal: AbortSignal,
): Promise<{ readonly manifest: string; readonly system?: string; readonly roles: string }> {
  const { roles, manifestSha256 } = await lookAtRoles(deps, restoration, signal);
  return rolesIdentityOf(roles, manifestSha256);
}

/**
 * Gives the roles that were agreed to, all in one transaction, and looks whether they are as in the backup then. Resolves
 * when that is on record, as is why not where it rejects.
 */
export async function giveRoles(
  deps: RestoreDeps,
  begun: Restoration,
  session: RestoreSession,
  attempt: number,
): Promise<Restoration> {
  const { restorationStates, clock, logger, host } = deps;
  const { id, scope = "missing", roles } = begun;
  const { fence, signal } = session;
  if (!roles) throw new AppError("internal", `the roles of restore ${id} were never looked at`);
  // From here on it is not cancelled any more: it is done in a moment.
  const entered = await restorationStates.record(
    id,
    "normal",
    clock.now(),
    (current): Restoration =>
      current.cancelRequestedBy
        ? { ...current, status: "cancelled", finishedAt: clock.now().toISOString() }
        : { ...current, phase: "swap" },
    fence,
    (current) => (current.status === "cancelled" ? [restoreEntry(current, "cancelled", clock.now())] : []),
  );
  if (entered.status === "cancelled") return entered;
  try {
    const { reader } = await openSound(deps, begun, { check: () => false, signal });
    const kind = kindWithRoles(deps, begun);
    const wanted = applicableRoles(roles.look, scope);
    const isDone = attempt > 1 && isGiven(await kind.look(reader, signal), wanted);
    const applied = isDone ? asPlanned(roles.look, wanted) : await kind.apply(reader, wanted, roles.digest, signal);
    const after = await kind.look(reader, signal);
    const left = stillOpen(after, wanted);
    const now = clock.now();
    const change = (current: Restoration): Restoration => ({
      ...current,
      status: "done",
      phase: "record",
      finishedAt: now.toISOString(),
      applied: { ...applied, left },
    });
    logger.warn({ restoration: id, made: applied.made.length, altered: applied.altered.length }, "roles were given");
    return await restorationStates.record(id, "reply", now, change, fence, (current) => [
      restoreEntry(current, "done", now, { host }),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    const reason = toAppError(error);
    if (reason.code === "redis" || reason.code === "lease-lost") throw reason;
    const now = clock.now();
    logger.warn({ restoration: id, code: reason.code, error: reason.message }, "roles were not given");
    const failed = runError(reason, "globals");
    await restorationStates.record(
      id,
      "reply",
      now,
      (current): Restoration => ({ ...current, status: "failed", finishedAt: now.toISOString(), error: failed }),
      fence,
      (current) => [restoreEntry(current, "failed", now, { why: reason.code, host })],
    );
    throw reason;
  }
}

/** The kind's own way to look at roles and to give them, by the configuration as it is now. */
function kindWithRoles({ config, logger }: Pick<RestoreDeps, "config" | "logger">, { id, name, kind }: Restoration) {
  const settings = config.backups.find((candidate) => candidate.name === name);
  const globals = settings?.source.kind === kind ? findKind(kind)?.globals : undefined;
  if (!settings || !globals) {
    const text = { key: "restoration-reason-no-roles", args: { name } };
    throw new AppError("config", `backup ${name} has no roles that could be given`, { text });
  }
  const log = logger.child({ restoration: id });
  return {
    look: async (reader: BackupReader, signal: AbortSignal): Promise<GlobalsLook> =>
      await globals.look(settings.source, reader, { signal, logger: log }),
    apply: async (reader: BackupReader, roles: readonly string[], agreed: string, signal: AbortSignal) =>
      await globals.apply(settings.source, reader, { roles, agreed, signal, logger: log }),
  };
}

/** Of these roles those that are not as in the backup. */
function stillOpen(look: GlobalsLook, roles: readonly string[]): string[] {
  const open = new Set(applicableRoles(look, "all"));
  return roles.filter((role) => open.has(role));
}

/** A worker was lost right after it had given them. */
function isGiven(look: GlobalsLook, roles: readonly string[]): boolean {
  return stillOpen(look, roles).length === 0;
}

function asPlanned({ missing }: GlobalsLook, roles: readonly string[]) {
  const lacked = new Set(missing.map(({ role }) => role));
  return { made: roles.filter((role) => lacked.has(role)), altered: roles.filter((role) => !lacked.has(role)) };
}

/** A setting or a comment may hold what is secret elsewhere. */
function withoutSecrets(look: GlobalsLook): GlobalsLook {
  const clean = <T extends { readonly backup: string; readonly live: string }>(all: readonly T[]): T[] =>
    all.map((one) => ({ ...one, backup: redact(one.backup), live: redact(one.live) }));
  return {
    ...look,
    missing: look.missing.map((one) => ({ ...one, has: clean(one.has) })),
    different: look.different.map((one) => ({ ...one, changes: clean(one.changes) })),
  };
}
