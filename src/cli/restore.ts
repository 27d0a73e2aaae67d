import { environmentVariables } from "../app/config.ts";
import type { Text } from "../core/text.ts";
import { createLogger } from "../lib/logger.ts";
import { redact } from "../lib/redaction.ts";
import { formatBytes, formatDuration, formatTime } from "../messages/format.ts";
import { reasonText } from "../messages/index.ts";
import { identityFor } from "../services/backup/identity.ts";
import { takeLeaseFiles } from "../services/backup/lease-file.ts";
import { type FoundBackup, type FoundCopy, findCopies, newestWhole } from "../services/restore/choose.ts";
import { type Preflight, preflight } from "../services/restore/preflight.ts";
import { RestoreFailure, type RestoreObserver, restoreCopy, soundCopy } from "../services/restore/restore.ts";
import type { SourceConfig } from "../sources/index.ts";
import type { RestoreReport, RestoreTarget } from "../sources/types.ts";
import { ProgressBar } from "./bar.ts";
import { confirmByName } from "./confirm.ts";
import { leaveNote } from "./note.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { describeError, reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";
import { findNamed } from "./which.ts";

export interface RestoreOptions extends PlaceOptions {
  /** Where to; default: the variable VAKHTA_RESTORE_TO, whose value other users cannot see. */
  readonly to?: string;
  /** The parts as plain files. */
  readonly files?: boolean;
  /** Of several databases only this one. */
  readonly database?: string;
  readonly owners?: boolean;
  /** Whether every stored byte is compared before the first one is restored; default: where that is affordable. */
  readonly check?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

type Report = Awaited<ReturnType<typeof restoreCopy>>;

/**
 * `vakhta restore <which> --to <place>`: into an empty database, server, bucket or folder, without Redis and the bot. 0:
 * restored and as the manifest says; 1: not restored; 2: wrong usage, no such backup, nobody to ask; 3: restored, and
 * something differs.
 */
export async function restore(terminal: Terminal, which: string, options: RestoreOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, options);
    own = place.terminal;
    return await restoreIn(place, which, options);
  } catch (error) {
    if (error instanceof RestoreFailure) return reportFailure(error, own, options.json ?? false);
    return reportError(error, own, options);
  }
}

async function restoreIn(place: Place, which: string, options: RestoreOptions): Promise<number> {
  const { terminal, host } = place;
  const { signal } = terminal;
  const { files = false, json = false } = options;
  const to = options.to ?? environmentVariables()["VAKHTA_RESTORE_TO"];
  if (to === undefined || to === "") throw new UsageError("cli-restore-where");
  if (!options.yes && !terminal.interactive) throw new UsageError("cli-nobody");
  const found = await findNamed(place, which);
  // Nobody removes of that name while it is read. Where nothing may be written, that is left to luck, as it has to be.
  const lease = { name: found.name, work: "restore", host, signal } as const;
  await using _leases = await takeLeaseFiles(found.storages, lease);
  const copies = await adviseOnFailure(place, found, () => readable(terminal, found));
  const bar = new ProgressBar(terminal);
  const target: RestoreTarget = {
    to,
    signal,
    logger: createLogger({ name: "cli", level: "silent" }),
    ...(options.database === undefined ? {} : { only: options.database }),
    ...(options.owners === undefined ? {} : { owners: options.owners }),
  };
  const first = copies[0];
  if (!first) throw new UsageError("cli-verify-unknown", { which });
  const { manifest } = first;
  if (options.database !== undefined && manifest.parts.every(({ database }) => database === undefined))
    throw new UsageError("cli-restore-no-databases", { kind: manifest.kind });
  const identity = await identityFor(manifest, place.identities);
  const config = sourceOf(place, found.name);
  const query = { manifest, target, files, config };
  describe(place, first, await preflight(query), { files, to });
  const observer = observe(terminal, bar);
  let copy: FoundCopy;
  try {
    const choose = (): Promise<FoundCopy> => soundCopy(copies, { check: options.check, signal, observer });
    copy = await adviseOnFailure(place, found, choose, () => bar.end());
  } finally {
    bar.end();
  }
  if (!options.yes) await confirmByName(terminal, "cli-restore-type", found.name);
  let outcome: "restored" | "differs" | "failed" = "failed";
  try {
    const report = await restoreCopy({ copy, target, files, config, identity, observer });
    bar.end();
    outcome = report.differencesTotal === 0 ? "restored" : "differs";
    const { id, name } = manifest;
    const facts = {
      id,
      name,
      storage: copy.storage.name,
      folder: found.folder,
      to: redact(to),
      ok: outcome === "restored",
      unseen: found.unseen.map((one) => one.storage.name),
    };
    if (json) terminal.out(JSON.stringify({ ...facts, ...documentOf(report, terminal) }, undefined, 2));
    else tell(terminal, report);
  } finally {
    bar.end();
    await leaveNote(place, copy.storage, found.folder, { action: files ? "restore-files" : "restore", to, outcome });
  }
  return outcome === "restored" ? exitCodes.ok : exitCodes.differs;
}

/** The copies that can be read from; the others are told. */
async function readable(terminal: Terminal, found: FoundBackup): Promise<readonly FoundCopy[]> {
  const { copies, refused } = await findCopies(found, terminal.signal);
  for (const { storage, error } of refused) {
    const reason = reasonText(error, terminal.messages);
    terminal.complain("cli-restore-copy-refused", { storage: storage.name, reason });
  }
  return copies;
}

/** Where a backup cannot be read, the newest one that can is told, if there is one. */
async function adviseOnFailure<T>(
  { terminal, storages, timezone }: Place,
  found: FoundBackup,
  read: () => Promise<T>,
  beforehand: () => void = () => undefined,
): Promise<T> {
  const { signal, messages } = terminal;
  try {
    return await read();
  } catch (error) {
    signal.throwIfAborted();
    beforehand();
    const whole = (await newestWhole(storages, found, signal))?.manifest;
    if (whole) {
      const at = formatTime(new Date(whole.startedAt), messages.locale, timezone);
      terminal.complain("cli-restore-whole", { backup: whole.id, name: whole.name, at });
    }
    throw error;
  }
}

function sourceOf({ config }: Place, name: string): SourceConfig | undefined {
  return config?.backups.find((backup) => backup.name === name)?.source;
}

/** The pre-flight, on standard error. */
function describe(
  { terminal, timezone }: Place,
  { manifest, storage, sound }: FoundCopy,
  { bytes, unpackedBytes, room, facts }: Preflight,
  { files, to }: { readonly files: boolean; readonly to: string },
): void {
  const { messages } = terminal;
  const size = (count: number): string => formatBytes(count, messages.locale);
  const { id, name, kind, startedAt, encryption } = manifest;
  const at = formatTime(new Date(startedAt), messages.locale, timezone);
  terminal.complain("cli-restore-backup", { backup: id, name, kind, at });
  // One that is named by its address is nowhere else.
  if (/^[a-z0-9]+:\/\//.test(storage.name)) terminal.complain("cli-restore-copy-at", { storage: storage.name });
  else terminal.complain("cli-restore-copy", { storage: storage.name, location: storage.location });
  if (!sound) terminal.complain("cli-restore-unsound");
  terminal.complain("cli-restore-size", { stored: size(bytes), unpacked: size(unpackedBytes) });
  terminal.complain(files ? "cli-restore-target-files" : "cli-restore-target", { to: redact(to) });
  if (room) terminal.complain("cli-restore-room", { folder: room.folder, free: size(room.freeBytes) });
  else terminal.complain("cli-restore-room-unknown");
  const programs = Object.entries(facts).map(([what, version]) => `${what} ${version}`);
  if (programs.length > 0) terminal.complain("cli-restore-programs", { programs: programs.join(", ") });
  terminal.complain(encryption ? "cli-restore-identity" : "cli-restore-plain");
}

function observe(terminal: Terminal, bar: ProgressBar): RestoreObserver {
  return {
    phase: (phase, total) => bar.phase(terminal.messages.plain(`cli-restore-phase-${phase}`), total),
    progress: (bytes) => bar.progress(bytes),
    refused: ({ storage }, error) => {
      bar.end();
      const reason = reasonText(error, terminal.messages);
      terminal.complain("cli-restore-copy-refused", { storage: storage.name, reason });
    },
  };
}

function documentOf(report: Report, { messages }: Terminal) {
  const { restoreMs, compared, differences, differencesTotal, remarks = [], files } = report;
  const said = remarks.map(({ key, args }) => messages.plain(key, args));
  return { restoreMs, compared, differences, differencesTotal, remarks: said, ...(files ? { files } : {}) };
}

function tell(terminal: Terminal, report: Report): void {
  const { messages } = terminal;
  const { compared, differences, differencesTotal, remarks = [], restoreMs, files } = report;
  for (const { key, args } of remarks) terminal.complain(key, args);
  for (const difference of differences) terminal.complain("cli-verify-difference", { ...difference });
  const counted = countedText(compared);
  const duration = formatDuration(restoreMs, messages.locale);
  if (differencesTotal > 0) terminal.say("cli-restore-differs", { count: differencesTotal, counted, duration });
  else if (counted === "") terminal.say("cli-restore-done-uncounted", { duration });
  else terminal.say("cli-restore-done", { counted, duration });
  for (const file of files ?? []) terminal.out(file);
}

/** "rows 224, tables 1", as the kind calls what it has compared. */
function countedText(compared: RestoreReport["compared"]): string {
  return Object.entries(compared)
    .map(([what, count]) => `${what} ${count}`)
    .join(", ");
}

/** Why it did not come about, and what it has left. */
function reportFailure({ reason, remains }: RestoreFailure, terminal: Terminal, json: boolean): number {
  const { messages } = terminal;
  const { status, code, message } = describeError(reason, terminal);
  terminal.err(message);
  const { stderr } = reason.context;
  if (typeof stderr === "string" && stderr !== "") terminal.err(stderr);
  const { state } = remains;
  const found = state === "nothing" ? undefined : reasonText(told(remains.found), messages);
  if (found === undefined) terminal.complain("cli-restore-nothing-left");
  else terminal.complain(state === "left" ? "cli-restore-left" : "cli-restore-left-unknown", { found });
  if (json) terminal.out(JSON.stringify({ error: { code, message }, target: { state, found } }, undefined, 2));
  return status;
}

function told(found: Text | string): Parameters<typeof reasonText>[0] {
  return typeof found === "string" ? { message: found } : { message: "", text: found };
}
