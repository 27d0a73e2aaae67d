import type { Config } from "../../app/config.ts";
import { isAhead } from "../../core/ahead.ts";
import type { DrillCopy, DrillReason } from "../../core/drill.ts";
import { neededBytes } from "../../core/manifest.ts";
import type { Text } from "../../core/text.ts";
import { canTestRestore, findKind } from "../../sources/index.ts";
import type { VerifiableBackup, VerificationOrders } from "../backup/verifications.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";

export interface ChooseDeps {
  readonly config: Pick<Config, "backups" | "storages" | "drill">;
  readonly verificationOrders: Pick<VerificationOrders, "backups">;
  readonly catalogue: Pick<CachedCatalogue, "looks">;
}

/** A backup that a drill is about; `cannot`: why it can only be left out. */
export interface DrillTarget {
  readonly name: string;
  readonly cannot?: Text;
}

/** So many of a name are looked through first, then so many: mostly it is the very first. */
const looked = [5, 50] as const;

/** The backups of a drill, in the order of the configuration: those that are named there, else all. */
export function drillTargets({ backups, drill }: Pick<Config, "backups" | "drill">): DrillTarget[] {
  const wanted = drill?.backups;
  return backups.flatMap(({ name, source }) => {
    if (wanted && !wanted.includes(name)) return [];
    const kind = findKind(source.kind);
    if (kind && canTestRestore(kind, source)) return [{ name }];
    return [{ name, cannot: { key: `verify-because-${source.kind === "command" ? "command" : "no-test"}` } }];
  });
}

/** Configured storages of a name's backups that lie on no disk of a worker. */
export function offsiteStorages({ backups, storages }: Pick<Config, "backups" | "storages">, name: string): string[] {
  const own = backups.find((backup) => backup.name === name)?.storages ?? [];
  return own.filter((storage) => isOffsite({ storages }, storage));
}

function isOffsite({ storages }: Pick<Config, "storages">, storage: string): boolean {
  return storages[storage] !== undefined && storages[storage].kind !== "local";
}

/** The newest copy of a name that would survive the loss of every worker's disk, with its backup; or why there is none. */
export async function newestOffsite(
  deps: ChooseDeps,
  name: string,
  now: Date,
): Promise<{ readonly copy: DrillCopy } | { readonly reason: DrillReason }> {
  const { config, verificationOrders } = deps;
  let known = 0;
  for (const limit of looked) {
    const backups = await verificationOrders.backups(name, limit);
    known = backups.length;
    for (const backup of backups) {
      const storage = storageOf(config, backup);
      if (storage === undefined) continue;
      const reason = await newerUnreadable(deps, backup, now);
      return reason ? { reason } : { copy: copyOf(backup, storage) };
    }
    if (known < limit) break;
  }
  return { reason: await reasonFor(deps, name, known) };
}

/** Why the newest copy can not be drilled although an older one could: nobody knows what it is. */
async function newerUnreadable(
  { config, catalogue }: ChooseDeps,
  { name, folder }: VerifiableBackup,
  now: Date,
): Promise<DrillReason | undefined> {
  const offsite = offsiteStorages(config, name);
  for (const [index, look] of (await catalogue.looks(offsite, name)).entries()) {
    const storage = offsite[index] ?? "";
    const isNewer = (object: string | undefined): object is string =>
      object !== undefined && object >= folder && !isAhead(timeOf(object), now);
    const unread = look?.unreadNewest;
    if (look?.error && isNewer(unread) && !unread.startsWith(folder)) return unseen(storage, look.error.message);
    const object = look?.unreadableNewest;
    if (!isNewer(object)) continue;
    const text = { key: "drill-reason-manifest", args: { storage, object } };
    return { message: `${object} in ${storage} makes no sense`, text, finding: "unseen" };
  }
  return undefined;
}

function unseen(storage: string, reason: string | undefined): DrillReason {
  const text: Text =
    reason === undefined
      ? { key: "drill-reason-unseen-yet", args: { storage } }
      : { key: "drill-reason-unseen", args: { storage, reason } };
  return { message: `${storage} could not be looked into: ${reason ?? "not yet"}`, text, finding: "unseen" };
}

/** As `runFolder` has put it into a folder's name. */
function timeOf(key: string): Date {
  const [, time = ""] = key.split("/");
  return new Date(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, "$1-$2-$3T$4:$5:$6Z"));
}

/** That of `verify.storage`, where it is one of those and holds it. */
function storageOf(config: ChooseDeps["config"], { name, copies }: VerifiableBackup): string | undefined {
  const offsite = copies.filter((storage) => isOffsite(config, storage));
  const wish = config.backups.find((backup) => backup.name === name)?.verify.storage;
  return wish !== undefined && offsite.includes(wish) ? wish : offsite[0];
}

function copyOf({ id, folder, manifest }: VerifiableBackup, storage: string): DrillCopy {
  return { backup: id, folder, dataAt: manifest.startedAt, storage, bytes: neededBytes(manifest) };
}

async function reasonFor({ config, catalogue }: ChooseDeps, name: string, known: number): Promise<DrillReason> {
  const offsite = offsiteStorages(config, name);
  if (offsite.length === 0)
    return {
      message: "none of its storages is elsewhere than on a worker's disk",
      text: { key: "drill-reason-only-local" },
      finding: "no-offsite",
    };
  const looks = await catalogue.looks(offsite, name);
  for (const [index, look] of looks.entries()) {
    if (!look || look.error) return unseen(offsite[index] ?? "", look?.error?.message);
  }
  if (known === 0) return { message: "there is no backup", text: { key: "drill-reason-none" }, finding: "no-backup" };
  const text = { key: "drill-reason-no-offsite", args: { storages: offsite.join(", ") } };
  return { message: "no copy lies elsewhere than on a worker's disk", text, finding: "no-offsite" };
}
