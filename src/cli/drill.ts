import { orderOf } from "../core/ahead.ts";
import {
  ageOf,
  type DrillCopy,
  type DrillItem,
  type DrillLimits,
  type DrillReason,
  defaultLimits,
  endOf,
  resultOf,
  withLimits,
} from "../core/drill.ts";
import { toAppError } from "../core/errors.ts";
import { neededBytes } from "../core/manifest.ts";
import type { Text } from "../core/text.ts";
import { formatBytes, formatDuration } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { readCopyManifest, recordProof } from "../services/backup/proofs.ts";
import { reachOf } from "../services/backup/prove.ts";
import { runError } from "../services/backup/run-error.ts";
import { sweepScratch } from "../services/backup/scratch.ts";
import { type Catalogue, type CatalogueEntry, readCatalogue } from "../services/catalogue.ts";
import { drillTargets } from "../services/drills/choose.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { explain, reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";
import { countedText, look, settingsOf, tell } from "./verify.ts";

export interface DrillOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** Milliseconds for writing a proof. */
const recordMs = 60_000;

/** What is to be drilled; `cannot`: why it can only be left out. */
interface Target {
  readonly name: string;
  readonly cannot?: Text;
}

/**
 * `vakhta drill [name]`: restores the newest copy elsewhere of every backup into a private server, in this process, without
 * Redis and the bot, and writes the proofs. 0: all of it was recovered within the limits; 1: something was not, or a
 * storage could not be looked into; 2: there is no such backup.
 */
export async function drill(terminal: Terminal, name: string | undefined, options: DrillOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, options);
    own = place.terminal;
    return await drillIn(place, name, options.json ?? false);
  } catch (error) {
    explain(error, own);
    return reportError(error, own, options);
  }
}

async function drillIn(place: Place, name: string | undefined, json: boolean): Promise<number> {
  const { terminal, config } = place;
  const { signal, messages } = terminal;
  const startedAt = new Date();
  const limits = { rto: config?.drill?.rto ?? defaultLimits.rto, rpo: config?.drill?.rpo ?? defaultLimits.rpo };
  const elsewhere = place.storages.filter(({ local }) => !local);
  const catalogue = await readCatalogue(elsewhere, { signal, ...(name === undefined ? {} : { name }) });
  for (const { storage, unread, key = unread, error } of catalogue.problems)
    terminal.err([storage, ...(key === undefined ? [] : [key]), reasonText(error, messages)].join(": "));
  const targets = targetsOf(place, catalogue, name);
  await sweepScratch(startedAt);
  const items: DrillItem[] = [];
  for (const target of targets) {
    const item = await drilled(place, catalogue, target, { startedAt, limits });
    items.push(item);
    if (!json) tellItem(terminal, item, limits);
  }
  if (items.length === 0) terminal.complain("cli-drill-nothing");
  const status = endOf({ items });
  const problems = catalogue.problems.map(({ storage, unread, key = unread, error }) => {
    return { storage, key, message: error.message };
  });
  if (json) terminal.out(JSON.stringify({ status, startedAt, limits, backups: items, problems }, undefined, 2));
  else {
    const total = items.filter((item) => item.status !== "left-out").length;
    const passed = items.filter((item) => item.status === "passed").length;
    terminal.say("cli-drill-summary", { passed, total });
  }
  return status === "passed" && problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The named one; else those of the configuration; else whatever lies in the storages. */
function targetsOf({ config }: Place, { entries }: Catalogue, name: string | undefined): Target[] {
  const found = [...new Set(entries.map(({ manifest }) => manifest.name))].toSorted();
  if (name === undefined) return config ? drillTargets(config) : found.map((each) => ({ name: each }));
  if (!found.includes(name) && !config?.backups.some((backup) => backup.name === name))
    throw new UsageError("cli-verify-unknown", { which: name });
  return [{ name }];
}

interface DrillFrame {
  readonly startedAt: Date;
  readonly limits: DrillLimits;
}

async function drilled(
  place: Place,
  catalogue: Catalogue,
  { name, cannot }: Target,
  { startedAt, limits }: DrillFrame,
): Promise<DrillItem> {
  if (cannot) return { name, status: "left-out", reason: { message: cannot.key, text: cannot } };
  const entry = newestOf(catalogue, name, startedAt);
  if (!entry) return { name, status: "undrilled", reason: reasonFor(place, catalogue, name) };
  const usual = settingsOf(place, name).storage;
  const storage = usual !== undefined && entry.copies.includes(usual) ? usual : (entry.copies[0] ?? "");
  const { id, startedAt: dataAt } = entry.manifest;
  const copy = { backup: id, folder: entry.folder, dataAt, storage, bytes: neededBytes(entry.manifest) };
  const item: DrillItem = { name, status: "running", copy, rpoMs: ageOf(copy, startedAt) };
  try {
    return await restored(place, item, copy, limits);
  } catch (error) {
    place.terminal.signal.throwIfAborted();
    return resultOf(item, { status: "failed", error: runError(toAppError(error), "verify") }, { limits });
  }
}

async function restored(place: Place, item: DrillItem, copy: DrillCopy, limits: DrillLimits): Promise<DrillItem> {
  const { terminal, identities, host, storages } = place;
  const storage = storages.find((one) => one.name === copy.storage);
  if (!storage) throw new Error(`no storage is called ${copy.storage}`);
  const own = settingsOf(place, item.name);
  const began = performance.now();
  const { manifest, sha256 } = await readCopyManifest(storage, copy.folder, undefined, terminal.signal);
  const { depth, because } = reachOf(manifest, "restored", { identities, config: own.source });
  // Reading it to no avail would take its time.
  if (depth !== "restored") {
    const reason: DrillReason = {
      message: "not deep enough",
      finding: "shallow",
      ...(because ? { text: because } : {}),
    };
    return withLimits({ ...item, status: "undrilled", reason }, limits);
  }
  const proof = await look(terminal, { manifest, storage, depth, identities, host, own });
  const tookMs = Math.round(performance.now() - began);
  await recordProof(storage, copy.folder, sha256, proof, AbortSignal.timeout(recordMs)).catch((error: unknown) => {
    const reason = reasonText(toAppError(error), terminal.messages);
    terminal.complain("cli-verify-unrecorded", { storage: storage.name, reason });
  });
  if (!proof.ok) tell(terminal, proof);
  return resultOf(item, { status: proof.ok ? "passed" : "failed", proof, tookMs }, { limits });
}

function newestOf({ entries }: Catalogue, name: string, now: Date): CatalogueEntry | undefined {
  const order = ({ manifest }: CatalogueEntry): string => orderOf(manifest.startedAt, now);
  return entries
    .filter(({ manifest }) => manifest.name === name)
    .toSorted((a, b) => (order(a) < order(b) ? 1 : -1))
    .at(0);
}

function reasonFor({ storages }: Place, { problems }: Catalogue, name: string): DrillReason {
  const elsewhere = storages.filter(({ local }) => !local).map(({ name }) => name);
  const [unseen] = problems.filter(({ key, unread }) => key === undefined && (unread?.startsWith(`${name}/`) ?? true));
  if (unseen) {
    const { storage, error } = unseen;
    const text = { key: "drill-reason-unseen", args: { storage, reason: error.message } };
    return { message: error.message, text, finding: "unseen" };
  }
  if (elsewhere.length === 0)
    return { message: "no storage elsewhere", text: { key: "drill-reason-only-local" }, finding: "no-offsite" };
  const text = { key: "drill-reason-no-offsite", args: { storages: elsewhere.join(", ") } };
  return { message: "no copy elsewhere", text, finding: "no-offsite" };
}

function tellItem(terminal: Terminal, item: DrillItem, limits: DrillLimits): void {
  const { messages } = terminal;
  const { locale } = messages;
  const { name, status, copy, rtoMs = 0, rpoMs = 0, over = [], reason, compared = {} } = item;
  const duration = (ms: number): string => formatDuration(ms, locale);
  if (status === "passed") {
    const times = { rto: duration(rtoMs), rpo: duration(rpoMs) };
    const size = formatBytes(copy?.bytes ?? 0, locale);
    const counted = countedText({ compared }, messages);
    terminal.say("cli-drill-passed", { name, ...times, counted, size, storage: copy?.storage ?? "" });
  } else {
    const key = status === "left-out" ? "cli-drill-left-out" : "cli-drill-failed";
    terminal.complain(key, { name, reason: reason ? plainReason(reason, messages) : "" });
  }
  for (const which of over)
    terminal.complain("cli-drill-over", { name, what: which.toUpperCase(), limit: duration(limits[which]) });
}

function plainReason({ message, text }: DrillReason, messages: Messages): string {
  return text ? messages.plain(text.key, text.args).replaceAll(/<[^>]*>/g, "") : message;
}
