import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { systemClock } from "../app/clock.ts";
import { loadConfig } from "../app/config.ts";
import type { AuditFlaw, KnownHead } from "../core/audit-check.ts";
import { AppError } from "../core/errors.ts";
import { formatCount } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { type ExportHeader, readExport, readHeader } from "../services/audit/export.ts";
import { type AuditVerdict, readStoredHeads, type StoredHeads, verifyChain } from "../services/audit/verify.ts";
import { openAudit } from "./audit-redis.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { reportError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface AuditVerifyOptions extends PlaceOptions {
  /** An export, in place of the log in Redis. */
  readonly file?: string;
  readonly json?: boolean;
}

/** What was looked at. */
interface Outcome extends AuditVerdict {
  readonly isPart: boolean;
  /** Heads that the storages hold. */
  readonly stored: number;
}

/**
 * `vakhta audit verify`: whether the audit log is whole, by its own chain and by the heads in the storages. 0: it is;
 * 1: it is not, or it could not be read. A storage that cannot be asked is said and is no flaw of the log.
 */
export async function auditVerify(terminal: Terminal, options: AuditVerifyOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openAuditPlace(terminal, options);
    own = place?.terminal ?? terminal;
    const outcome =
      options.file === undefined ? await verifyRedis(place, own) : await verifyFile(options.file, place, own);
    say(own, outcome, options.json ?? false);
    return outcome.flaws.length === 0 ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    return reportError(error, own, options);
  }
}

/** An export is verified also where nothing is configured: undefined then. */
function openAuditPlace(terminal: Terminal, options: AuditVerifyOptions): Place | undefined {
  if (options.file === undefined) {
    const { config, file: path } = loadConfig({ ...options, requires: ["redis"] });
    // There is something to look at where nothing is backed up, too.
    const hasStorages = Object.keys(config.storages).length > 0;
    return openPlace(terminal, { ...options, path, requires: hasStorages ? ["redis", "storages"] : ["redis"] });
  }
  try {
    return openPlace(terminal, options);
  } catch (error) {
    if ((options.storage ?? []).length > 0 || options.path !== undefined) throw error;
    return undefined;
  }
}

async function verifyRedis(place: Place | undefined, terminal: Terminal): Promise<Outcome> {
  const { config, storages } = place ?? {};
  if (!config)
    throw new AppError("config", "no configuration says where Redis is", { text: { key: "error-audit-redis" } });
  await using opened = await openAudit(config);
  const { audit } = opened;
  // Before the entries: what comes meanwhile stands behind it.
  const head = await audit.head();
  const known = await audit.heads();
  const stored = await readStoredHeads(storages ?? [], known, systemClock.now(), terminal.signal);
  const redis = [...(head ? [head] : []), ...known].map((one): KnownHead => ({ ...one, where: "" }));
  const { flaw, sum } = await verifyChain(audit.records(), [...redis, ...stored.heads], progressOf(terminal, false));
  if (terminal.live) terminal.rewrite("");
  return outcomeOf(stored, { isPart: false, sum, ...(flaw ? { flaw } : {}) });
}

async function verifyFile(file: string, place: Place | undefined, terminal: Terminal): Promise<Outcome> {
  const header = await firstLine(file);
  const isPart = header?.from !== 1 || header.to !== (header.head?.seq ?? header.to);
  const nothing: StoredHeads = { heads: [], flaws: [], unseen: [] };
  const stored = place ? await readStoredHeads(place.storages, [], systemClock.now(), terminal.signal) : nothing;
  // What was taken after the export may name entries that are not in it.
  const inTime = stored.heads.filter(({ at, seq }) => seq <= (header?.to ?? 0) || at <= (header?.at ?? ""));
  const own = header?.head ? [{ ...header.head, where: file }] : [];
  const heads: KnownHead[] = [...own, ...inTime];
  const { flaw, sum } = await verifyChain(
    readExport(linesOf(file, header ? 1 : 0)),
    heads,
    progressOf(terminal, isPart),
  );
  if (terminal.live) terminal.rewrite("");
  const isShort = flaw === undefined && header !== undefined && (sum.last ?? 0) < header.to;
  const cut: AuditFlaw | undefined = isShort
    ? { what: "cut", seq: (sum.last ?? 0) + 1, to: header.to, where: file }
    : undefined;
  const found = flaw ?? cut;
  return outcomeOf(stored, { isPart, sum, ...(found ? { flaw: found } : {}) });
}

function outcomeOf(
  { heads, flaws, unseen }: StoredHeads,
  { flaw, sum, isPart }: { readonly flaw?: AuditFlaw; readonly sum: AuditVerdict["sum"]; readonly isPart: boolean },
): Outcome {
  return { flaws: [...(flaw ? [flaw] : []), ...flaws], sum, unseen, isPart, stored: heads.length };
}

function progressOf(terminal: Terminal, isPart: boolean): Parameters<typeof verifyChain>[2] {
  return {
    isPart,
    onEntries: (count) => {
      terminal.signal.throwIfAborted();
      if (terminal.live) terminal.rewrite(formatCount(count, terminal.messages.locale));
    },
  };
}

async function firstLine(file: string): Promise<ExportHeader | undefined> {
  for await (const line of linesOf(file, 0)) return readHeader(line);
  return undefined;
}

/** The lines of a file behind the first `skip`. */
async function* linesOf(file: string, skip: number): AsyncGenerator<string> {
  const stream = createReadStream(file, "utf8");
  const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  // An error of the stream alone would leave the reader waiting.
  const failed = new Promise<never>((_resolve, reject) => {
    stream.once("error", reject);
  });
  failed.catch(() => undefined);
  try {
    const lines = reader[Symbol.asyncIterator]();
    for (let index = 0; ; index++) {
      const next = await Promise.race([lines.next(), failed]);
      if (next.done) return;
      if (index >= skip) yield next.value;
    }
  } catch (error) {
    throw unreadable(file, error as NodeJS.ErrnoException);
  } finally {
    reader.close();
    stream.destroy();
  }
}

function unreadable(file: string, cause: NodeJS.ErrnoException): AppError {
  const { code = "" } = cause;
  return new AppError("not-found", `${file} can not be read (${code})`, {
    text: { key: "error-audit-file", args: { file, code } },
    cause,
  });
}

function say(terminal: Terminal, outcome: Outcome, json: boolean): void {
  const { messages } = terminal;
  const { flaws, sum, unseen, isPart, stored } = outcome;
  for (const { storage, error } of unseen)
    terminal.complain("cli-audit-unseen", { storage, reason: reasonText(error, messages) });
  if (json) {
    const told = flaws.map((flaw) => ({ ...flaw, text: flawText(flaw, messages) }));
    const { entries, before, first, last, hash, heads } = sum;
    const storages = unseen.map(({ storage, error }) => ({ storage, code: error.code }));
    const document = { ok: flaws.length === 0, entries, before, first, last, hash, heads, stored, isPart };
    terminal.out(JSON.stringify({ ...document, flaws: told, unseen: storages }, undefined, 2));
    return;
  }
  for (const flaw of flaws) terminal.out(flawText(flaw, messages));
  if (flaws.length > 0) return;
  if (sum.entries === 0) {
    terminal.say("cli-audit-empty");
    return;
  }
  terminal.say("cli-audit-whole", {
    entries: sum.entries,
    entriesText: formatCount(sum.entries, messages.locale),
    first: String(sum.first),
    last: String(sum.last),
    heads: formatCount(sum.heads, messages.locale),
  });
  if (sum.before > 0) terminal.complain("cli-audit-before", { count: formatCount(sum.before, messages.locale) });
  if (isPart) terminal.complain("cli-audit-part", { first: String(sum.first), last: String(sum.last) });
  if (stored === 0) terminal.complain("cli-audit-no-heads");
}

/** What is wrong and where, in a line. */
function flawText(
  { what, seq = 0, to = seq, date = "", where = "", count = 0 }: AuditFlaw,
  messages: Messages,
): string {
  const known = where === "" ? "redis" : date === "" ? "file" : "stored";
  const who = messages.plain(`cli-audit-who-${known}`, { date, where });
  return messages.plain(`cli-audit-flaw-${what}`, {
    seq: String(seq),
    to: String(to),
    date,
    where,
    who,
    count: formatCount(count, messages.locale),
  });
}
