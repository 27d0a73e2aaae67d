import { randomBytes } from "node:crypto";
import { loadConfig } from "../app/config.ts";
import { toAppError } from "../core/errors.ts";
import { type Manifest, manifestFile } from "../core/manifest.ts";
import { type Depth, depths, type Proof } from "../core/proof.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { formatBytes, formatDuration, formatTime } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { readCopyManifest, recordProof } from "../services/backup/proofs.ts";
import { prove, reachOf } from "../services/backup/prove.ts";
import { sweepScratch } from "../services/backup/scratch.ts";
import { neededBytes } from "../services/backup/verify.ts";
import { ownKey } from "../services/catalogue.ts";
import { findKind, type SourceConfig } from "../sources/index.ts";
import type { Storage } from "../storages/types.ts";
import { closeStorages, openStorages } from "./open-storages.ts";
import { reportError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface VerifyOptions {
  readonly depth?: string;
  readonly storage?: string;
  readonly json?: boolean;
}

/** What `verifyHere` is given: from a configuration, or from options on a bare machine. */
export interface VerifyHere extends VerifyOptions {
  /** Id of a backup, its name (the newest), `latest:<name>`, or `<name>@<beginning of its time>`: "app@20260301". */
  readonly which: string;
  readonly storages: readonly Storage[];
  readonly identity?: string | undefined;
  readonly host: string;
  readonly timezone: string;
  /** What the configuration says of a name, where there is one. */
  readonly settings?: (name: string) => BackupSettings | undefined;
}

export interface BackupSettings {
  readonly source?: SourceConfig | undefined;
  readonly depth?: Depth | undefined;
  readonly storage?: string | undefined;
  /** URL of a server for test-restores. */
  readonly scratch?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Milliseconds for removing leftovers from a scratch server, and for writing the proof. */
const cleanUpMs = 120_000;
/** Milliseconds between two rewritten lines. */
const intervalMs = 200;

/** `vakhta verify <which>` with a configuration. */
export async function verify(
  terminal: Terminal,
  which: string,
  options: VerifyOptions & { readonly path?: string },
): Promise<number> {
  const { config } = loadConfig({ ...options, requires: ["storages"] });
  const own = terminal.in(config.locale);
  const storages = openStorages(config, Object.keys(config.storages), createLogger({ name: "cli", level: "silent" }));
  const settings = (name: string): BackupSettings | undefined => {
    const backup = config.backups.find((candidate) => candidate.name === name);
    if (!backup) return undefined;
    const { depth, storage, scratch, timeout } = backup.verify;
    return { source: backup.source, depth, storage, scratch, timeoutMs: timeout };
  };
  const { identity } = config.encryption ?? {};
  try {
    const here = {
      ...options,
      which,
      storages,
      identity,
      host: config.worker.host,
      timezone: config.timezone,
      settings,
    };
    return await verifyHere(own, here);
  } catch (error) {
    return reportError(error, own);
  } finally {
    await closeStorages(storages);
  }
}

/**
 * Looks at a copy in this process, without Redis and the bot, and writes the proof beside the manifest. 0: it holds; 1:
 * it does not, it could not be looked at, or not as deep as `depth` asked; 2: there is no such backup, copy or depth.
 */
export async function verifyHere(terminal: Terminal, options: VerifyHere): Promise<number> {
  const { which, storages, settings, identity, json = false } = options;
  const asked = depths.find((depth) => depth === options.depth);
  if (options.depth !== undefined && !asked) {
    terminal.complain("cli-verify-depth-unknown", { depth: options.depth });
    return exitCodes.usage;
  }
  const found = await findBackup(storages, which, terminal.signal);
  if (!found) {
    terminal.complain("cli-verify-unknown", { which });
    return exitCodes.usage;
  }
  const { folder, name, id } = found;
  const own = settings?.(name) ?? {};
  const storage = chooseCopy(found.copies, options.storage, own.storage);
  if (!storage) {
    const known = found.copies.map((copy) => copy.name).join(", ");
    terminal.complain("cli-verify-storage-unknown", { backup: id, storage: options.storage ?? "", known });
    return exitCodes.usage;
  }
  const copy = await readCopyManifest(storage, folder, undefined, terminal.signal);
  const depth = asked ?? own.depth ?? "restored";
  const at = formatTime(new Date(copy.manifest.startedAt), terminal.messages.locale, options.timezone);
  const size = formatBytes(neededBytes(copy.manifest), terminal.messages.locale);
  if (!json) terminal.complain("cli-verify-looking", { backup: id, name, at, size, storage: storage.name });
  await sweepScratch(new Date());
  const proof = await look(terminal, { manifest: copy.manifest, storage, depth, identity, host: options.host, own });
  let unrecorded: string | undefined;
  try {
    await recordProof(storage, folder, copy.sha256, proof, AbortSignal.timeout(cleanUpMs));
  } catch (error) {
    unrecorded = reasonText(toAppError(error), terminal.messages);
    terminal.complain("cli-verify-unrecorded", { storage: storage.name, reason: unrecorded });
  }
  if (json) terminal.out(JSON.stringify({ id, name, storage: storage.name, folder, proof, unrecorded }, undefined, 2));
  else tell(terminal, proof);
  const isTooShallow = asked !== undefined && proof.depth !== asked;
  return proof.ok && !isTooShallow && unrecorded === undefined ? exitCodes.ok : exitCodes.failed;
}

interface Found {
  readonly name: string;
  readonly id: string;
  readonly folder: string;
  readonly copies: readonly Storage[];
}

/** The newest backup that is meant; a storage out of reach hides only what lies nowhere else. */
async function findBackup(
  storages: readonly Storage[],
  which: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const folders = new Map<string, Storage[]>();
  const failures: unknown[] = [];
  for (const storage of storages) {
    try {
      for await (const { key } of storage.list("", signal)) {
        const own = ownKey(key);
        if (own?.file !== manifestFile || !isMeant(own.folder, which)) continue;
        folders.set(own.folder, [...(folders.get(own.folder) ?? []), storage]);
      }
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (folders.size === 0 && failures.length > 0) throw failures[0];
  const time = (folder: string): string => folder.slice(folder.indexOf("/") + 1);
  const [newest] = [...folders].toSorted(([a], [b]) => (time(a) < time(b) ? 1 : -1));
  if (!newest) return undefined;
  const [folder, copies] = newest;
  const [name = "", run = ""] = folder.split("/");
  return { name, id: run.slice(run.indexOf("-") + 1), folder, copies };
}

function isMeant(folder: string, which: string): boolean {
  const [name = "", run = ""] = folder.split("/");
  if (run.endsWith(`-${which}`)) return true;
  const [wanted = "", time = ""] = which.replace(/^latest:/, "").split("@");
  return wanted === name && run.startsWith(time);
}

/** The copy that is named, else that of the configuration, else one that is not on this disk. */
function chooseCopy(
  copies: readonly Storage[],
  named: string | undefined,
  usual: string | undefined,
): Storage | undefined {
  if (named !== undefined) return copies.find(({ name }) => name === named);
  return copies.find(({ name }) => name === usual) ?? copies.find(({ local }) => !local) ?? copies[0];
}

interface Look {
  readonly manifest: Manifest;
  readonly storage: Storage;
  readonly depth: Depth;
  readonly identity: string | undefined;
  readonly host: string;
  readonly own: BackupSettings;
}

async function look(terminal: Terminal, { own, ...what }: Look): Promise<Proof> {
  const logger = createLogger({ name: "cli", level: "silent" });
  const id = `cli${randomBytes(6).toString("hex")}`;
  const line = progressLine(terminal);
  const timeout = own.timeoutMs === undefined ? [] : [AbortSignal.timeout(own.timeoutMs)];
  const signal = AbortSignal.any([terminal.signal, ...timeout]);
  const order = { ...what, config: own.source, scratch: { id, server: own.scratch }, logger, signal };
  const { depth } = reachOf(what.manifest, what.depth, { identity: what.identity, config: own.source });
  try {
    return await prove({ ...order, clock: { now: () => new Date() }, observer: line });
  } finally {
    line.end();
    if (depth === "restored" && own.scratch !== undefined) await cleanUp(what.manifest.kind, own.scratch, id, logger);
  }
}

/** The test-restore does this itself; here it is made sure that an interrupted one has. */
async function cleanUp(kind: string, server: string, id: string, logger: Logger): Promise<void> {
  await findKind(kind)
    ?.cleanUpScratch?.(server, [id], AbortSignal.timeout(cleanUpMs))
    .catch((error: unknown) => logger.warn({ error: String(error) }, "the scratch server could not be cleaned up"));
}

function progressLine(terminal: Terminal) {
  const { messages } = terminal;
  const startedAt = Date.now();
  let phase = "";
  let shownAt = 0;
  const rewrite = (text: string): void => void process.stderr.write(`\r\u001B[2K${text}`);
  return {
    depth: (depth: Depth): Promise<void> => {
      phase = messages.plain(`verify-phase-${depth}`);
      if (terminal.live) rewrite(phase);
      else terminal.err(phase);
      return Promise.resolve();
    },
    progress: (bytes: number, total: number): void => {
      const now = Date.now();
      if (!terminal.live || now - shownAt < intervalMs) return;
      shownAt = now;
      rewrite(
        messages.plain("cli-verify-progress", {
          phase,
          read: formatBytes(bytes, messages.locale),
          total: formatBytes(total, messages.locale),
          percent: total === 0 ? 100 : Math.floor((100 * bytes) / total),
          duration: formatDuration(now - startedAt, messages.locale),
        }),
      );
    },
    /** Removes the line, so that what follows begins on a clean one. */
    end: (): void => {
      if (terminal.live) rewrite("");
    },
  };
}

function tell(terminal: Terminal, proof: Proof): void {
  const { messages } = terminal;
  const { because, wanted, remarks = [], differences = [], differencesTotal = 0, error } = proof;
  if (because && wanted)
    terminal.complain("cli-verify-not-deeper", {
      depth: wanted,
      reason: messages.plain(because.key, because.args).replaceAll(/<[^>]*>/g, ""),
    });
  for (const { key, args } of remarks) terminal.complain(key, args);
  for (const difference of differences) terminal.complain("cli-verify-difference", { ...difference });
  if (!proof.ok) {
    const reason = error
      ? reasonText({ message: error.message, text: error.text }, messages)
      : messages.plain("verify-reason-differences", { count: differencesTotal });
    terminal.complain("cli-verify-failed", { reason });
    return;
  }
  if (proof.depth === "stored")
    terminal.say("cli-verify-stored", { size: formatBytes(proof.compared?.["bytes"] ?? 0, messages.locale) });
  else if (proof.depth === "readable") terminal.say("cli-verify-readable");
  else
    terminal.say("cli-verify-restored", {
      counted: countedText(proof, messages),
      duration: formatDuration(proof.restoreMs ?? 0, messages.locale),
    });
}

/** "rows 224, tables 1", as the kind calls what it has compared. */
function countedText({ compared = {} }: Proof, messages: Messages): string {
  const counted = Object.entries(compared).map(([what, count]) => `${what} ${count}`);
  return counted.length === 0 ? messages.plain("cli-verify-uncounted") : counted.join(", ");
}
