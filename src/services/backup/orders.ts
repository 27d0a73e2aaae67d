import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import { isAhead } from "../../core/ahead.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { type BackupRun, isFinal, type Person, type RunTrigger } from "../../core/run.ts";
import type { Due } from "../../core/schedule.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { Runs } from "../../state/runs.ts";
import { hostOfBackup } from "../places.ts";

export interface BackupOrdersDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly runs: Runs;
  readonly producer: Producer;
}

export interface BackupOrder {
  readonly name: string;
  readonly trigger: RunTrigger;
  /** What makes the order unique; the same source gives the same run, so it is carried out once. Default: random. */
  readonly source?: string;
  readonly requestedBy?: Person;
  readonly retryOf?: string;
  /** For one right before a restore: its id. */
  readonly restoration?: string;
  readonly dueAt?: Date;
  /** How many times of the schedule before `dueAt` it makes up for as well. */
  readonly missed?: number;
  /** Where the card is shown; default: the backup's configured chat. `messageId`: our message that becomes the card. */
  readonly target?: ChatTarget & { readonly messageId?: number };
}

/** How many of the newest runs are looked through for one of the schedule that has not begun. */
const lookBack = 50;

/** A worker that is being started is there within this time; milliseconds. */
const workerStartMs = 20_000;

type BackupConfig = Config["backups"][number];

/** Takes orders for backups: records the run, shows its card, enqueues its job. */
export class BackupOrders {
  readonly #deps: BackupOrdersDeps;

  constructor(deps: BackupOrdersDeps) {
    this.#deps = deps;
  }

  /** @throws AppError not-found when no backup is called so. */
  backup(name: string): BackupConfig {
    const backup = this.#deps.config.backups.find((candidate) => candidate.name === name);
    if (!backup) {
      const text = { key: "error-backup-unknown", args: { name } };
      throw new AppError("not-found", `no backup is called ${name}`, { context: { name }, text });
    }
    return backup;
  }

  /** Records a run once and enqueues it. Returns the run and whether this call created it. */
  async request(order: BackupOrder): Promise<{ run: BackupRun; created: boolean }> {
    const { runs, cards, clock } = this.#deps;
    const backup = this.backup(order.name);
    const now = clock.now();
    const id = runId(order.source ?? randomUUID());
    const run: BackupRun = {
      id,
      name: order.name,
      trigger: order.trigger,
      ...(order.requestedBy ? { requestedBy: order.requestedBy } : {}),
      ...(order.retryOf === undefined ? {} : { retryOf: order.retryOf }),
      ...(order.restoration === undefined ? {} : { restoration: order.restoration }),
      ...(order.dueAt ? { dueAt: order.dueAt.toISOString() } : {}),
      ...(order.missed ? { missed: order.missed } : {}),
      status: "queued",
      phase: "waiting",
      createdAt: now.toISOString(),
      attempt: 0,
      fence: 0,
      encrypted: backup.encrypt,
      open: [],
      copies: [],
    };
    const created = await runs.create(run, now);
    const target = order.target ?? this.#chatOf(backup);
    // Card and job are made again when the run exists already: a kill in between leaves neither of them out.
    if (target)
      await cards.place(
        runs.ref(id),
        target,
        "reply",
        now,
        order.target?.messageId === undefined ? {} : { messageId: order.target.messageId },
      );
    const current = await runs.get(id);
    if (!isFinal(current.status)) await this.enqueue(current);
    if (created)
      this.#deps.logger.info(
        { run: id, backup: order.name, trigger: order.trigger, by: order.requestedBy?.id },
        "backup ordered",
      );
    return { run: current, created };
  }

  /**
   * Orders what a schedule wants. A run of the schedule that has not begun, since its worker is away or busy, stands for
   * this time too: runs do not pile up. True when a new run was ordered.
   */
  async schedule(name: string, due: Due): Promise<boolean> {
    const { runs, clock } = this.#deps;
    const source = `schedule:${name}:${due.at.toISOString()}`;
    const dueAt = due.at.toISOString();
    const now = clock.now();
    // One that a wrong clock has dated far ahead stands for no time of the right one.
    const known = (await runs.list(name, lookBack)).filter(
      (run) => run.dueAt !== undefined && !isAhead(new Date(run.dueAt), now),
    );
    // One that was ordered for this very time is ordered again: a kill may have left its card out.
    if (!known.some(({ id }) => id === runId(source))) {
      for (const { id } of known) {
        const run = await runs.update(id, "normal", now, (waiting) => {
          if (waiting.status !== "queued" || waiting.attempt > 0 || (waiting.dueAt ?? "") >= dueAt) return waiting;
          return { ...waiting, trigger: "schedule", dueAt, missed: (waiting.missed ?? 0) + 1 + due.missed };
        });
        if ((run.dueAt ?? "") >= dueAt) return false;
      }
    }
    const trigger = due.late && !due.waited ? "catch-up" : "schedule";
    return (await this.request({ name, trigger, source, dueAt: due.at, missed: due.missed })).created;
  }

  /** Puts the run's job into the queue of the right worker; the run's id makes it idempotent. */
  async enqueue(run: BackupRun, delayMs?: number): Promise<void> {
    const host = this.hostOf(run.name);
    await this.#deps.producer.enqueue(
      "backup",
      { runId: run.id },
      { id: `backup-${run.id}`, host, ...(delayMs === undefined ? {} : { delayMs }) },
    );
  }

  /** The host a backup is bound to: its own, else that of its local storage; undefined: any worker. */
  hostOf(name: string): string | undefined {
    return hostOfBackup(this.#deps.config, name);
  }

  /** Whether a worker is there for a queued run, among the hosts of those alive; one gets some time to start. */
  isServed(run: BackupRun, workerHosts: ReadonlySet<string>, now: Date): boolean {
    if (now.getTime() - Date.parse(run.createdAt) < workerStartMs) return true;
    const host = this.hostOf(run.name);
    return host === undefined ? workerHosts.size > 0 : workerHosts.has(host);
  }

  /** Asks a run to stop. Queued: it is cancelled at once. Running: its worker notices within a second. */
  async cancel(id: string, by: Person): Promise<BackupRun> {
    const now = this.#deps.clock.now();
    return await this.#deps.runs.update(id, "reply", now, (run) => {
      if (isFinal(run.status) || run.cancelRequestedBy) return run;
      if (run.status === "queued")
        return { ...run, status: "cancelled", cancelRequestedBy: by, finishedAt: now.toISOString() };
      return { ...run, cancelRequestedBy: by };
    });
  }

  /** Orders a failed or cancelled run again; the same failed run can be retried once. */
  async retry(id: string, by: Person, target: ChatTarget): Promise<{ run: BackupRun; created: boolean }> {
    const failed = await this.#deps.runs.get(id);
    if (failed.status !== "failed" && failed.status !== "cancelled")
      throw new AppError("conflict", `run ${id} is ${failed.status}`, {
        text: { key: "error-run-not-retried", args: { run: id } },
      });
    const ordered = await this.request({
      name: failed.name,
      trigger: "retry",
      retryOf: id,
      source: `retry:${id}`,
      requestedBy: by,
      target,
    });
    await this.#deps.runs.update(id, "reply", this.#deps.clock.now(), (run) =>
      run.retried ? run : { ...run, retried: { run: ordered.run.id, by } },
    );
    return ordered;
  }

  #chatOf(backup: BackupConfig): ChatTarget | undefined {
    const chats = this.#deps.config.telegram?.chats ?? {};
    const name = backup.chat ?? Object.keys(chats)[0];
    const chat = name === undefined ? undefined : chats[name];
    if (!chat) return undefined;
    const threadId = chat.topics[backup.topic ?? "backups"];
    return { chatId: chat.id, ...(threadId === undefined ? {} : { threadId }) };
  }
}

/** A short id that follows from what caused the order. */
function runId(source: string): string {
  return createHash("sha256").update(source).digest("hex").slice(0, 12);
}
