import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile, neededBytes } from "../../core/manifest.ts";
import type { Preflight, Restoration } from "../../core/restoration.ts";
import type { BackupReader } from "../../sources/types.ts";
import type { Storage } from "../../storages/types.ts";
import { identityFor } from "../backup/identity.ts";
import { isVerdict } from "../backup/prove.ts";
import { openBackup } from "../backup/reader.ts";
import { runError } from "../backup/run-error.ts";
import { hostOfCopies } from "../places.ts";
import { type FoundCopy, findCopies } from "../restore/choose.ts";
import { soundCopy } from "../restore/restore.ts";
import type { RestoreDeps } from "./deps.ts";

type PassedOver = Preflight["passedOver"][number];

/** The copies of a backup that can be read from here, the one to be tried first in front. */
export interface Copies {
  readonly copies: readonly FoundCopy[];
  /** Those that are not read, and why. */
  readonly passedOver: readonly PassedOver[];
}

type Backup = Pick<Restoration, "name" | "backup" | "folder"> & { readonly manifestSha256?: string };

/**
 * Looks where the backup lies now. Only copies that are sound as far as anybody knows, and whose manifest is the one that
 * was chosen. Rejects with `no-copy` when there is none; that is not permanent where a storage could not be reached.
 */
export async function copiesOf(deps: RestoreDeps, backup: Backup, signal: AbortSignal): Promise<Copies> {
  const { config, host } = deps;
  const { name, folder, backup: id, manifestSha256 } = backup;
  const passedOver: PassedOver[] = [];
  const storages: Storage[] = [];
  let unseen: AppError | undefined;
  for (const storage of Object.keys(config.storages)) {
    const bound = hostOfCopies(config, storage, name);
    if (bound !== undefined && bound !== host) {
      passedOver.push({ storage, reason: { key: "restoration-passed-elsewhere", args: { host: bound } } });
      continue;
    }
    try {
      const opened = await deps.storage(storage);
      if ((await opened.head(`${folder}${manifestFile}`, signal)) !== undefined) storages.push(opened);
    } catch (error) {
      signal.throwIfAborted();
      unseen ??= toAppError(error);
      passedOver.push(passed(storage, toAppError(error)));
    }
  }
  if (storages.length === 0) throw noCopy(id, unseen);
  const found = await findCopies({ name, id, folder, storages, unseen: [] }, signal);
  for (const { storage, error } of found.refused) {
    passedOver.push(passed(storage.name, error));
    if (!isVerdict(error) && error.code !== "no-copy") unseen ??= error;
  }
  const suspected = new Set(
    (await deps.verifications.suspicions())
      .filter((suspicion) => suspicion.proven && suspicion.folder === folder)
      .map(({ storage }) => storage),
  );
  const copies = found.copies.filter((copy) => {
    const { storage } = copy;
    const isOther = manifestSha256 !== undefined && copy.manifestSha256 !== manifestSha256;
    if (copy.unseen && !isOther && !suspected.has(storage.name)) {
      unseen ??= copy.unseen;
      passedOver.push(passed(storage.name, copy.unseen));
      return false;
    }
    const why = isOther ? "other" : !copy.sound || suspected.has(storage.name) ? "unsound" : undefined;
    if (why !== undefined) passedOver.push({ storage: storage.name, reason: { key: `restoration-passed-${why}` } });
    return why === undefined;
  });
  if (copies.length === 0) throw noSoundCopy(id, passedOver, unseen);
  return { copies, passedOver };
}

/** One copy, opened to be read. */
export interface OpenCopy {
  readonly copy: FoundCopy;
  readonly reader: BackupReader;
  readonly passedOver: readonly PassedOver[];
}

/**
 * The first copy whose stored bytes are what the manifest says (where comparing them is affordable, or `check` says so),
 * and what reads it. Rejects with `encryption` when no key here opens it. What is damaged is told to whoever watches.
 */
export async function openSound(
  deps: RestoreDeps,
  backup: Backup & Pick<Restoration, "backupAt">,
  options: {
    readonly check?: ((copy: FoundCopy) => boolean) | undefined;
    readonly signal: AbortSignal;
    readonly onCheck?: ((bytes: number, total: number) => void) | undefined;
    readonly onBytes?: ((bytes: number) => void) | undefined;
  },
): Promise<OpenCopy> {
  const { signal, onCheck, onBytes } = options;
  const found = await copiesOf(deps, backup, signal);
  const [first] = found.copies;
  if (!first) throw new AppError("internal", "no copies, and no reason");
  const identity = await identityFor(first.manifest, deps.config.encryption?.identity ?? []);
  const passedOver = [...found.passedOver];
  const total = neededBytes(first.manifest);
  const refused: { copy: FoundCopy; error: AppError }[] = [];
  const observer = {
    phase: () => undefined,
    progress: (bytes: number) => onCheck?.(bytes, total),
    refused: (copy: FoundCopy, error: AppError) => {
      refused.push({ copy, error });
      passedOver.push(passed(copy.storage.name, error));
    },
  };
  const check = options.check?.(first);
  try {
    const copy = await soundCopy(found.copies, { check, signal, observer });
    const reader = openBackup(copy.storage, copy.manifest, { identity, signal, onBytes });
    return { copy, reader, passedOver };
  } finally {
    for (const { copy, error } of refused) await suspect(deps, backup, copy, error);
  }
}

/** Whoever looks after the backups is told of a copy that was found to be damaged. */
async function suspect(
  { verifications, clock }: RestoreDeps,
  { name, backup, folder, backupAt }: Backup & Pick<Restoration, "backupAt">,
  { storage }: FoundCopy,
  error: AppError,
): Promise<void> {
  if (!isVerdict(error)) return;
  const { key } = error.context;
  const told = { ...runError(error, "check"), ...(typeof key === "string" ? { object: key } : {}) };
  const copy = { name, backup, folder, backupAt, storage: storage.name, location: storage.location };
  await verifications.suspect({ ...copy, depth: "stored", at: clock.now().toISOString(), proven: true, error: told });
}

/** The newest manifest of a backup, by any of its copies that can be read. */
export async function manifestOf(
  deps: RestoreDeps,
  backup: Backup,
  signal: AbortSignal,
): Promise<{ readonly manifest: Manifest; readonly manifestSha256: string }> {
  const { manifestSha256: _, ...any } = backup;
  const [copy] = (await copiesOf(deps, any, signal)).copies;
  if (!copy) throw noCopy(backup.backup, undefined);
  return copy;
}

function passed(storage: string, { code, message, text }: AppError): PassedOver {
  return { storage, reason: text ?? { key: "restoration-passed-error", args: { code, reason: message } } };
}

function noCopy(backup: string, unseen: AppError | undefined): AppError {
  // It may lie where nobody can look at this moment.
  if (unseen) return unseen;
  const text = { key: "error-verify-no-copy", args: { backup } };
  return new AppError("no-copy", `no configured storage holds a copy of ${backup} any more`, { text });
}

function noSoundCopy(backup: string, passedOver: readonly PassedOver[], unseen: AppError | undefined): AppError {
  if (unseen) return unseen;
  const storages = passedOver.map(({ storage }) => storage).join(", ");
  const text = { key: "error-restoration-no-sound", args: { backup, storages } };
  return new AppError("no-copy", `no copy of ${backup} is sound: ${storages}`, { text });
}
