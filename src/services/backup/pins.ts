import { randomBytes } from "node:crypto";
import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { manifestFile } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import { encodePin, pinFile } from "../../core/proof.ts";
import type { Person } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact } from "../../lib/redaction.ts";
import type { JobContext, JobOutcome, JobPayload } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Leases } from "../../state/leases.ts";
import type { PendingPin, PinOrder, Pins } from "../../state/pins.ts";
import type { Storage } from "../../storages/types.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import type { CatalogueKeeper } from "../catalogue-keeper.ts";
import { enqueueAnew, hostOfCopies } from "../places.ts";

export interface PinOrdersDeps {
  readonly config: Pick<Config, "backups" | "storages">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly catalogue: Pick<CachedCatalogue, "find">;
  readonly pins: Pins;
  readonly producer: Producer;
}

/** Takes orders for pins: records them and enqueues a job for each storage. Opens no storage. */
export class PinOrders {
  readonly #deps: PinOrdersDeps;

  constructor(deps: PinOrdersDeps) {
    this.#deps = deps;
  }

  /**
   * Asks for a backup to be pinned, or no longer, wherever it lies. From now on the retention takes it for pinned.
   * @throws AppError no-copy when no storage is known to hold it.
   */
  async request(asked: {
    readonly name: string;
    /** Id of the backup's run. */
    readonly run: string;
    readonly pinned: boolean;
    readonly by: Person;
    /** What it is pinned for. */
    readonly reason?: string;
  }): Promise<PinOrder> {
    const { catalogue, pins, clock, logger } = this.#deps;
    const { name, run, pinned, by, reason } = asked;
    const entry = await catalogue.find(name, run);
    if (!entry) {
      const text = { key: "error-verify-no-copy", args: { backup: run } };
      throw new AppError("no-copy", `no configured storage holds a copy of ${run}`, { text });
    }
    const { folder, copies } = entry;
    const id = randomBytes(6).toString("hex");
    const at = clock.now().toISOString();
    const order: PinOrder = { id, name, folder, run, pinned, by, ...(reason === undefined ? {} : { reason }), at };
    await pins.create(order, copies);
    logger.info({ backup: name, run, pinned, by: by.id, storages: copies }, "pin ordered");
    await this.#enqueue({ order, waiting: copies.map((storage) => ({ storage })) });
    return order;
  }

  /** Orders that wait and whose job is gone. For the clock. */
  async requeue(): Promise<string[]> {
    const requeued: string[] = [];
    for (const pending of await this.#deps.pins.all()) requeued.push(...(await this.#enqueue(pending)));
    return requeued;
  }

  async #enqueue({ order, waiting }: PendingPin): Promise<string[]> {
    const { config, producer, pins } = this.#deps;
    const enqueued: string[] = [];
    for (const { storage } of waiting) {
      if (config.storages[storage] === undefined) {
        await pins.settle(order, storage);
        continue;
      }
      const id = `pin.${order.id}.${storage}`;
      const host = hostOfCopies(config, storage, order.name);
      if (await enqueueAnew(producer, "pin", { order: order.id, folder: order.folder, storage }, { id, host }))
        enqueued.push(id);
    }
    return enqueued;
  }
}

export interface PinWriterDeps {
  readonly config: Pick<Config, "worker">;
  readonly logger: Logger;
  readonly leases: Leases;
  readonly pins: Pins;
  readonly catalogueKeeper: Pick<CatalogueKeeper, "noteSoon">;
  storage(name: string): Promise<Storage>;
}

const waitForOtherMs = 1000;

/** Carries out orders for pins in the storages. Every step may be repeated. */
export class PinWriter {
  readonly #deps: PinWriterDeps;

  constructor(deps: PinWriterDeps) {
    this.#deps = deps;
  }

  /** One attempt in one storage. Throws after recording the failure, so that the queue tries again later. */
  async execute({ order: id, folder, storage: name }: JobPayload<"pin">, job: JobContext): Promise<JobOutcome> {
    const { pins, leases, config, logger, catalogueKeeper } = this.#deps;
    const lease = await leases.tryAcquire(`pin:${name}:${folder}`, { ttlMs: config.worker.lease, holder: id });
    if (!lease) return { later: waitForOtherMs };
    await using held = lease;
    const pending = await pins.read(folder);
    const { order } = pending ?? {};
    if (order?.id !== id || !pending?.waiting.some(({ storage }) => storage === name))
      return { done: { folder, storage: name, status: "superseded" } };
    try {
      const signal = AbortSignal.any([job.signal, held.signal]);
      const status = await write(await this.#deps.storage(name), order, signal);
      // Known to everybody before it stops being under way.
      await catalogueKeeper.noteSoon(name, folder);
      await pins.settle(order, name);
      logger.info({ backup: order.name, run: order.run, storage: name, status, by: order.by.id }, "pin");
      return { done: { folder, storage: name, status } };
    } catch (cause) {
      if (job.signal.aborted || !held.isHeld()) throw cause;
      const { message, text } = toAppError(cause);
      await pins.fail(order, name, { message: redact(message), ...(text ? { text } : {}) });
      throw cause;
    }
  }
}

async function write(
  storage: Storage,
  { folder, pinned, by, reason, at }: PinOrder,
  signal: AbortSignal,
): Promise<"pinned" | "unpinned" | "gone"> {
  const key = `${folder}${pinFile}`;
  const isThere = async (): Promise<boolean> => (await storage.head(`${folder}${manifestFile}`, signal)) !== undefined;
  if (pinned && (await isThere())) {
    const pin = { version: 1, at, by: by.name, ...(reason === undefined ? {} : { reason }) } as const;
    await storage.put(key, encodePin(pin), signal);
    if (await isThere()) return "pinned";
  }
  // Of a backup that is gone, or went just now, no pin may stay behind.
  await storage.delete([key], signal);
  return pinned ? "gone" : "unpinned";
}
