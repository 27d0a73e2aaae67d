import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome, JobPayload } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Audit } from "../../state/audit.ts";
import type { Storage } from "../../storages/types.ts";
import { enqueueAnew, hostOfCopies } from "../places.ts";
import { headDates, writeHead } from "./head-files.ts";

export interface AuditHeadsDeps {
  readonly config: Pick<Config, "backups" | "storages">;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly producer: Producer;
}

/**
 * Every day's head of the audit log, for the storages: whoever can write to Redis cannot write there, so that what is
 * changed in the log afterwards shows. Opens no storage.
 */
export class AuditHeads {
  readonly #deps: AuditHeadsDeps;

  constructor(deps: AuditHeadsDeps) {
    this.#deps = deps;
  }

  /** For the clock: takes the head of a new day, and enqueues a job for each storage that lacks the newest. */
  async step(): Promise<void> {
    const { audit, clock, producer } = this.#deps;
    const at = clock.now().toISOString();
    const date = at.slice(0, 10);
    if (!(await audit.hasHead(date))) {
      const head = await audit.head();
      if (!head) return;
      await audit.keepHead({ ...head, date, at });
    }
    const stored = await audit.storedHeads();
    for (const { storage, host } of this.#places()) {
      if (stored.get(placeOf(storage, host)) === date) continue;
      // Its attempts are spread over half an hour; then the clock begins them anew. The storage has its own alarm.
      const payload = { storage, date, ...(host === undefined ? {} : { host }) };
      await enqueueAnew(producer, "audit-head", payload, { id: `audit-head.${storage}.${host ?? ""}`, host });
    }
  }

  /** Every storage, and the hosts that reach it: each disk of a name that lies on several is one. */
  #places(): { readonly storage: string; readonly host: string | undefined }[] {
    const { config } = this.#deps;
    return Object.entries(config.storages).flatMap(([storage, settings]) => {
      const writers = config.backups.filter(({ storages }) => storages.includes(storage));
      const own = settings.kind === "local" ? settings.host : undefined;
      const hosts = new Set(writers.map(({ name }) => hostOfCopies(config, storage, name)));
      return (hosts.size === 0 ? [own] : [...hosts]).map((host) => ({ storage, host }));
    });
  }
}

function placeOf(storage: string, host: string | undefined): string {
  return host === undefined ? storage : `${storage}@${host}`;
}

export interface AuditHeadWriterDeps {
  readonly audit: Audit;
  readonly logger: Logger;
  storage(name: string): Promise<Storage>;
}

/** Days before are made up when a storage was out of reach. */
const mostDays = 60;

/** Puts heads into a storage. Every step may be repeated. */
export class AuditHeadWriter {
  readonly #deps: AuditHeadWriterDeps;

  constructor(deps: AuditHeadWriterDeps) {
    this.#deps = deps;
  }

  /** Writes those of the last days that are not there; what is there is never replaced. */
  async execute({ storage: name, date: day, host }: JobPayload<"audit-head">, job: JobContext): Promise<JobOutcome> {
    const { signal } = job;
    const { audit, logger } = this.#deps;
    const heads = (await audit.heads()).slice(-mostDays);
    const storage = await this.#deps.storage(name);
    const there = await headDates(storage, signal);
    const missing = heads.filter(({ date }) => !there.has(date));
    for (const head of missing) await writeHead(storage, head, signal);
    await audit.headStored(placeOf(name, host), day);
    if (missing.length > 0) logger.info({ storage: name, heads: missing.length }, "heads of the audit log stored");
    return { done: { storage: name, written: missing.length } };
  }
}
