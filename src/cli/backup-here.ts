import { randomUUID } from "node:crypto";
import { type BackupConfig, type Config, loadConfig } from "../app/config.ts";
import { version } from "../app/version.ts";
import { AppError, toAppError } from "../core/errors.ts";
import { runFolder } from "../core/manifest.ts";
import { rawBytes, storedBytes } from "../core/run.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { formatBytes, formatDuration } from "../messages/format.ts";
import { reasonOf } from "../messages/index.ts";
import { noteLines } from "../messages/notes.ts";
import { hookEnvironment, runHook } from "../services/backup/hooks.ts";
import { takeLeaseFiles } from "../services/backup/lease-file.ts";
import { type PipelineResult, runBackup } from "../services/backup/pipeline.ts";
import { findPrevious } from "../services/backup/previous.ts";
import { createSource } from "../sources/index.ts";
import type { Storage } from "../storages/types.ts";
import { deadlineOf } from "./deadline.ts";
import { closeStorages, openStorages } from "./open-storages.ts";
import { ProgressLine } from "./progress.ts";
import { explain, reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

type Result = PipelineResult;

/** Milliseconds for the programs after a run that was interrupted. */
const interruptedHooksMs = 10_000;

/**
 * `vakhta backup <name> --here`: makes the backup in this process, without Redis and the bot. 0 when every copy was
 * stored, 1 when the run failed or a copy is missing. What only workers do is left to them, and said.
 */
export async function backupHere(
  terminal: Terminal,
  name: string,
  options: { readonly path?: string; readonly json?: boolean },
): Promise<number> {
  const { config } = loadConfig({ ...options, requires: ["storages", "sources"] });
  const own = terminal.in(config.locale);
  const backup = config.backups.find((candidate) => candidate.name === name);
  if (!backup) {
    throw new UsageError("cli-backup-unknown", { name, known: config.backups.map((known) => known.name).join(", ") });
  }
  const logger = createLogger({ name: "cli", level: "silent" });
  const storages = openStorages(config, backup.storages, logger);
  const line = new ProgressLine(own, Date.now, (text) => void process.stderr.write(text));
  try {
    if (storages.length === 0) throw new AppError("config", own.messages.plain("cli-backup-no-storage-here", { name }));
    const startedAt = new Date();
    const parts = { storages, startedAt, logger, line, signal: terminal.signal, terminal: own };
    const result = await run(config, backup, parts);
    line.end();
    report(own, result, storages, Date.now() - startedAt.getTime(), options.json ?? false);
    own.complain("cli-backup-not-here");
    const stored = result.copies.filter((copy) => copy.status === "stored").length;
    return stored === backup.storages.length ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    line.end();
    explain(error, own);
    return reportError(error, own, options);
  } finally {
    await closeStorages(storages);
  }
}

interface RunParts {
  readonly storages: readonly Storage[];
  readonly startedAt: Date;
  readonly logger: Logger;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

async function run(config: Config, backup: BackupConfig, parts: RunParts): Promise<Result> {
  const { storages, startedAt, logger, line } = parts;
  const clock = { now: () => new Date() };
  // The form of the ids that the queue's runs have: 12 hexadecimal digits.
  const runId = randomUUID().replaceAll("-", "").slice(0, 12);
  const { name } = backup;
  using deadline = deadlineOf(backup.timeout);
  const signal = AbortSignal.any([parts.signal, deadline.signal]);
  const recipients = backup.encrypt ? (config.encryption?.recipients ?? []) : [];
  const identities = config.encryption?.identity;
  const { kind } = backup.source;
  const folder = runFolder(name, startedAt, runId);
  const make = async (): Promise<Result> =>
    await runBackup({
      runId,
      name,
      startedAt,
      folder,
      source: createSource(backup.source, { clock, logger }),
      storages,
      recipients,
      previous: await findPrevious({ name, kind, storages, recipients, identities, now: clock.now(), signal, logger }),
      observer: line,
      clock,
      signal,
      host: config.worker.host,
      version,
    });
  // So that nobody removes what this run may build upon.
  await using _leases = await takeLeaseFiles(storages, { name, work: "backup", host: config.worker.host, signal });
  return await withHooks(backup, { id: runId, name, folder }, { ...parts, signal }, make);
}

/** With the programs before and after, as a worker runs them: those after whatever becomes of the run. */
async function withHooks(
  { hooks }: BackupConfig,
  run: { readonly id: string; readonly name: string; readonly folder: string },
  { signal, terminal }: Pick<RunParts, "signal" | "terminal">,
  make: () => Promise<Result>,
): Promise<Result> {
  const after = async (told: Record<string, string>, within: AbortSignal): Promise<void> => {
    for (const argv of hooks.after) {
      await runHook(argv, told, hooks.timeout, within).catch((error: unknown) => {
        const reason = toAppError(error);
        terminal.complain("cli-backup-hook-failed", {
          step: String(reason.context["step"] ?? ""),
          reason: reasonOf(reason),
        });
      });
    }
  };
  try {
    for (const argv of hooks.before) await runHook(argv, hookEnvironment(run, "running"), hooks.timeout, signal);
    const result = await make();
    const status = result.copies.every((copy) => copy.status === "stored") ? "succeeded" : "degraded";
    await after(hookEnvironment(run, status), signal);
    return result;
  } catch (error) {
    const { code } = toAppError(error);
    const status = signal.aborted ? "interrupted" : "failed";
    const within = signal.aborted ? AbortSignal.timeout(interruptedHooksMs) : signal;
    await after(hookEnvironment({ ...run, error: { code } }, status), within);
    throw error;
  }
}

function report(
  terminal: Terminal,
  { manifest, copies }: Result,
  storages: readonly Storage[],
  elapsedMs: number,
  json: boolean,
): void {
  const location = (name: string) => storages.find((storage) => storage.name === name)?.location ?? name;
  const artifact = manifest.parts.find((part) => part.role === "artifact") ?? manifest.parts[0];
  for (const { storage, error } of copies) {
    if (error) terminal.err(terminal.messages.plain("cli-backup-copy-failed", { storage, reason: reasonOf(error) }));
  }
  if (json) {
    const { id, name, startedAt, finishedAt } = manifest;
    const copyOf = ({ storage, status, error }: Result["copies"][number]) => {
      return { storage, status, location: location(storage), ...(error ? { error: error.message } : {}) };
    };
    const { notes = [], notesTotal = 0 } = manifest;
    const facts = {
      bytes: storedBytes(manifest),
      rawBytes: rawBytes(manifest),
      sha256: artifact?.sha256,
      notes,
      notesTotal,
    };
    terminal.out(
      JSON.stringify({ id, name, startedAt, finishedAt, ...facts, copies: copies.map(copyOf) }, undefined, 2),
    );
    return;
  }
  const { locale } = terminal.messages;
  terminal.say("cli-backup-done", {
    id: manifest.id,
    size: formatBytes(storedBytes(manifest), locale),
    elapsed: formatDuration(elapsedMs, locale),
    sha256: artifact?.sha256.slice(0, 12) ?? "",
  });
  for (const { key, args } of noteLines(manifest, locale)) terminal.say(key, args);
  for (const { storage, status } of copies) {
    if (status === "stored") terminal.say("cli-backup-copy", { storage, location: location(storage) });
  }
}
