import { randomBytes } from "node:crypto";
import { toAppError } from "../core/errors.ts";
import { type Manifest, neededBytes } from "../core/manifest.ts";
import { type Depth, depths, type Proof } from "../core/proof.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { formatBytes, formatDuration, formatTime } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { readCopyManifest, recordProof } from "../services/backup/proofs.ts";
import { prove, reachOf } from "../services/backup/prove.ts";
import { sweepScratch } from "../services/backup/scratch.ts";
import { findKind, type SourceConfig } from "../sources/index.ts";
import type { Storage } from "../storages/types.ts";
import { ProgressBar } from "./bar.ts";
import { deadlineOf } from "./deadline.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { explain, reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";
import { findNamed } from "./which.ts";

export interface VerifyOptions extends PlaceOptions {
  readonly depth?: string;
  readonly json?: boolean;
}

/** Milliseconds for removing leftovers from a scratch server, and for writing the proof. */
const cleanUpMs = 120_000;

/** What the configuration says of a backup. */
interface Settings {
  readonly source?: SourceConfig | undefined;
  readonly depth?: Depth | undefined;
  readonly storage?: string | undefined;
  /** URL of a server for test-restores. */
  readonly scratch?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/**
 * `vakhta verify <which>`: looks at a copy in this process, without Redis and the bot, and writes the proof beside the
 * manifest. 0: it holds; 1: it does not, it could not be looked at, or not as deep as `depth` asked; 2: there is no such
 * backup, storage or depth.
 */
export async function verify(terminal: Terminal, which: string, options: VerifyOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, options);
    own = place.terminal;
    return await verifyIn(place, which, options);
  } catch (error) {
    explain(error, own);
    return reportError(error, own, options);
  }
}

async function verifyIn(place: Place, which: string, { json = false, ...options }: VerifyOptions): Promise<number> {
  const { terminal } = place;
  const asked = depths.find((depth) => depth === options.depth);
  if (options.depth !== undefined && !asked) throw new UsageError("cli-verify-depth-unknown", { depth: options.depth });
  const found = await findNamed(place, which);
  const { folder, name, id } = found;
  const own = settingsOf(place, name);
  const storage = chooseCopy(found.storages, own.storage);
  if (!storage) throw new UsageError("cli-verify-unknown", { which });
  const copy = await readCopyManifest(storage, folder, undefined, terminal.signal);
  const depth = asked ?? own.depth ?? "restored";
  const at = formatTime(new Date(copy.manifest.startedAt), terminal.messages.locale, place.timezone);
  const size = formatBytes(neededBytes(copy.manifest), terminal.messages.locale);
  if (!json) terminal.complain("cli-verify-looking", { backup: id, name, at, size, storage: storage.name });
  await sweepScratch(new Date());
  const proof = await look(terminal, {
    manifest: copy.manifest,
    storage,
    depth,
    identities: place.identities,
    host: place.host,
    own,
  });
  let unrecorded: string | undefined;
  try {
    await recordProof(storage, folder, copy.sha256, proof, AbortSignal.timeout(cleanUpMs));
  } catch (error) {
    unrecorded = reasonText(toAppError(error), terminal.messages);
    terminal.complain("cli-verify-unrecorded", { storage: storage.name, reason: unrecorded });
  }
  const facts = {
    id,
    name,
    storage: storage.name,
    folder,
    proof,
    unrecorded,
    unseen: found.unseen.map((one) => one.storage.name),
  };
  if (json) terminal.out(JSON.stringify(facts, undefined, 2));
  else tell(terminal, proof);
  const isTooShallow = asked !== undefined && proof.depth !== asked;
  return proof.ok && !isTooShallow && unrecorded === undefined ? exitCodes.ok : exitCodes.failed;
}

/** What verifying a backup of this name needs to know. */
export function settingsOf({ config }: Place, name: string): Settings {
  const backup = config?.backups.find((candidate) => candidate.name === name);
  if (!backup) return {};
  const { depth, storage, scratch, timeout } = backup.verify;
  return { source: backup.source, depth, storage, scratch, timeoutMs: timeout };
}

/** The copy of the storage that the configuration names, else one that is not on this disk. */
function chooseCopy(copies: readonly Storage[], usual: string | undefined): Storage | undefined {
  return copies.find(({ name }) => name === usual) ?? copies.find(({ local }) => !local) ?? copies[0];
}

interface Look {
  readonly manifest: Manifest;
  readonly storage: Storage;
  readonly depth: Depth;
  readonly identities: readonly string[];
  readonly host: string;
  readonly own: Settings;
}

/** Looks at a copy with a bar on a live terminal. Nothing of it is left behind. */
export async function look(terminal: Terminal, { own, ...what }: Look): Promise<Proof> {
  const logger = createLogger({ name: "cli", level: "silent" });
  const id = `cli${randomBytes(6).toString("hex")}`;
  const bar = new ProgressBar(terminal);
  const total = neededBytes(what.manifest);
  const observer = {
    depth: (reached: Depth): Promise<void> => {
      bar.phase(terminal.messages.plain(`verify-phase-${reached}`), total);
      return Promise.resolve();
    },
    progress: (bytes: number): void => bar.progress(bytes),
  };
  using deadline = deadlineOf(own.timeoutMs);
  const signal = AbortSignal.any([terminal.signal, deadline.signal]);
  const order = { ...what, config: own.source, scratch: { id, server: own.scratch }, logger, signal };
  const { depth } = reachOf(what.manifest, what.depth, { identities: what.identities, config: own.source });
  try {
    return await prove({ ...order, clock: { now: () => new Date() }, observer });
  } finally {
    bar.end();
    if (depth === "restored" && own.scratch !== undefined) await cleanUp(what.manifest.kind, own.scratch, id, logger);
  }
}

/** The test-restore does this itself; here it is made sure that an interrupted one has. */
async function cleanUp(kind: string, server: string, id: string, logger: Logger): Promise<void> {
  await findKind(kind)
    ?.cleanUpScratch?.(server, [id], AbortSignal.timeout(cleanUpMs))
    .catch((error: unknown) => logger.warn({ error: String(error) }, "the scratch server could not be cleaned up"));
}

/** What was found, good or bad, in sentences. */
export function tell(terminal: Terminal, proof: Proof): void {
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
    // With the tool's last words, which the sentence about it has not.
    if (error?.code === "tool-failed" && !reason.includes(error.message)) terminal.err(error.message);
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
export function countedText({ compared = {} }: Pick<Proof, "compared">, messages: Messages): string {
  const counted = Object.entries(compared).map(([what, count]) => `${what} ${count}`);
  return counted.length === 0 ? messages.plain("cli-verify-uncounted") : counted.join(", ");
}
