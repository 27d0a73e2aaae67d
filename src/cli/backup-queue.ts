import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../app/clock.ts";
import { type Config, loadConfig } from "../app/config.ts";
import { createDeps, type Deps } from "../app/deps.ts";
import { AppError } from "../core/errors.ts";
import { type BackupRun, isFinal, rawBytes, storedBytes } from "../core/run.ts";
import { createLogger } from "../lib/logger.ts";
import { formatBytes, formatDuration } from "../messages/format.ts";
import { reasonOf, reasonText } from "../messages/index.ts";
import { presenceWithinMs } from "../services/status.ts";
import { ProgressLine } from "./progress.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** Milliseconds between two looks at the run. */
const lookEveryMs = 300;
const redisTimeoutMs = 5000;

/**
 * `vakhta backup <name>`: orders the backup from a worker, as the chat does, and follows it. Interrupting ends the
 * following, not the run. 0 when every copy was stored, 1 when the run failed, was cancelled or lacks a copy.
 */
export async function backupByWorker(
  terminal: Terminal,
  name: string,
  options: { readonly path?: string; readonly json?: boolean },
): Promise<number> {
  const { config } = loadConfig({ ...options, requires: ["redis"] });
  const own = terminal.in(config.locale);
  if (!config.backups.some((candidate) => candidate.name === name)) {
    throw new UsageError("cli-backup-unknown", { name, known: config.backups.map((known) => known.name).join(", ") });
  }
  const { deps, close } = createDeps({
    config,
    logger: createLogger({ name: "cli", level: "silent" }),
    clock: systemClock,
    role: "cli",
  });
  try {
    await reachRedis(deps, config);
    const { run } = await deps.orders.request({ name, trigger: "cli" });
    own.complain("cli-backup-ordered", { run: run.id });
    await warnWithoutWorker(deps, own);
    const ended = await follow(deps, run.id, own);
    if (ended === undefined) {
      own.complain("cli-backup-goes-on", { run: run.id });
      return exitCodes.interrupted;
    }
    report(own, ended, options.json ?? false);
    return ended.status === "succeeded" ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    return reportError(error, own, options);
  } finally {
    await close();
  }
}

/** The processes wait for Redis for ever; a person at a terminal wants to know. */
async function reachRedis(deps: Deps, config: Config): Promise<void> {
  const answer = await Promise.race([deps.redis.ping(), sleep(redisTimeoutMs, undefined, { ref: false })]);
  if (answer !== undefined) return;
  const { host } = new URL(config.redis.url);
  throw new AppError("redis", `Redis at ${host} does not answer: start it, or make the backup with --here`, {
    text: { key: "error-redis-silent", args: { host } },
  });
}

async function warnWithoutWorker(deps: Deps, terminal: Terminal): Promise<void> {
  const alive = await deps.presences.alive(deps.clock.now(), presenceWithinMs);
  if (!alive.some((presence) => presence.role === "worker")) terminal.complain("cli-backup-no-worker");
}

/** The run when it has ended; undefined when the person did not want to wait for that. */
async function follow(deps: Deps, id: string, terminal: Terminal): Promise<BackupRun | undefined> {
  const line = new ProgressLine(terminal, Date.now, (text) => void process.stderr.write(text));
  let shown: Pick<BackupRun, "phase" | "sourceTitle"> | undefined;
  try {
    while (!terminal.signal.aborted) {
      const run = await deps.runs.get(id);
      if (isFinal(run.status)) return run;
      if (run.sourceTitle !== undefined && !shown?.sourceTitle) await line.title(run.sourceTitle);
      if (run.phase !== shown?.phase) await line.phase(run.phase);
      if (run.progress) line.progress(run.progress);
      shown = run;
      await sleep(lookEveryMs, undefined, { signal: terminal.signal }).catch(() => undefined);
    }
    return undefined;
  } finally {
    line.end();
  }
}

function report(terminal: Terminal, run: BackupRun, json: boolean): void {
  const { manifest, error } = run;
  const artifact = manifest?.parts[0];
  if (json) {
    const facts = manifest
      ? {
          startedAt: manifest.startedAt,
          finishedAt: manifest.finishedAt,
          bytes: storedBytes(manifest),
          rawBytes: rawBytes(manifest),
          sha256: artifact?.sha256,
        }
      : {};
    const copies = run.copies.map(({ storage, status, location, error: failure }) => ({
      storage,
      status,
      location,
      ...(failure ? { error: failure.message } : {}),
    }));
    const failure = error ? { error: { code: error.code, step: error.step, message: error.message } } : {};
    terminal.out(
      JSON.stringify({ id: run.id, name: run.name, status: run.status, ...facts, copies, ...failure }, undefined, 2),
    );
    return;
  }
  if (run.status === "cancelled") terminal.complain("cli-backup-cancelled", { by: run.cancelRequestedBy?.name ?? "" });
  if (error) {
    terminal.complain("cli-backup-failed-in", { step: error.step });
    terminal.err(reasonText(error, terminal.messages));
    if (error.stderr !== undefined) terminal.err(error.stderr);
  }
  if (!manifest) return;
  const { locale } = terminal.messages;
  terminal.say("cli-backup-done", {
    id: run.id,
    size: formatBytes(storedBytes(manifest), locale),
    elapsed: formatDuration(Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt), locale),
    sha256: artifact?.sha256.slice(0, 12) ?? "",
  });
  for (const { storage, status, location, error: failure } of run.copies) {
    if (status === "stored") terminal.say("cli-backup-copy", { storage, location });
    else terminal.complain("cli-backup-copy-failed", { storage, reason: failure ? reasonOf(failure) : status });
  }
}
