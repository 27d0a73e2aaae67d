import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import { orderOf } from "../../core/ahead.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import { type Manifest, manifestFolder } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import type { Depth, Proof } from "../../core/proof.ts";
import type { Person } from "../../core/run.ts";
import { isOver, needsVerifier, type Verification, type VerificationTrigger } from "../../core/verification.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { Runs } from "../../state/runs.ts";
import type { Verifications } from "../../state/verifications.ts";
import { placeOf } from "../alerts/routing.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import { hostOfCopies } from "../places.ts";

export interface VerificationOrdersDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly runs: Runs;
  readonly verifications: Verifications;
  readonly catalogue: Pick<CachedCatalogue, "newestCopies" | "find">;
  readonly producer: Producer;
  /** Where a storage is, for a person. */
  location(storage: string): string;
}

/** A backup that can be looked at. */
export interface VerifiableBackup {
  readonly name: string;
  /** Id of its run. */
  readonly id: string;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly manifestSha256?: string;
  /** Storages that hold a copy. */
  readonly copies: readonly string[];
  readonly proofs: readonly (Proof & { readonly storage: string })[];
}

export interface VerificationOrder {
  readonly backup: VerifiableBackup;
  /** Default: as configured for that name. */
  readonly depth?: Depth;
  /** Whose copy. Default: as configured, else one that is not on a worker's own disk. */
  readonly storage?: string;
  readonly trigger: VerificationTrigger;
  /** What makes the order unique; the same source gives the same verification. Default: random. */
  readonly source?: string;
  readonly requestedBy?: Person;
  readonly dueAt?: Date;
  /** Where the card is shown; default: the backup's configured chat. `none`: it has none to begin with. */
  readonly target?: ChatTarget | "none";
}

/** A worker that is being started is there within this time; milliseconds. */
const workerStartMs = 20_000;
/** What a run has stored since then the catalogue may not have seen yet; before that it knows better. Milliseconds. */
const unseenMs = 15 * 60_000;
const newestRuns = 5;
/** So many more are looked for: wrong clocks may have dated some ahead. */
const beside = 6;
/** Of how many newest backups of a name one can be chosen. */
export const verifiableBackups = 50;

/** Takes orders for verifications: records them, shows their cards, enqueues their jobs. Opens no storage. */
export class VerificationOrders {
  readonly #deps: VerificationOrdersDeps;

  constructor(deps: VerificationOrdersDeps) {
    this.#deps = deps;
  }

  /**
   * Backups of a name that are known to have a copy, newest first: by the catalogue, and by runs that it has not seen yet.
   * Those that a wrong clock has dated far ahead come last.
   */
  async backups(name: string, limit = verifiableBackups): Promise<VerifiableBackup[]> {
    const found = new Map<string, VerifiableBackup & { copies: string[] }>();
    for (const { storage, copies } of await this.#deps.catalogue.newestCopies(name, limit + beside)) {
      for (const [folder, { manifest, manifestSha256, proofs }] of copies) {
        const known = found.get(folder) ?? {
          name,
          id: manifest.id,
          folder,
          manifest,
          manifestSha256,
          copies: [],
          proofs: [],
        };
        const own = proofs.map((proof) => ({ ...proof, storage }));
        found.set(folder, { ...known, copies: [...known.copies, storage], proofs: [...known.proofs, ...own] });
      }
    }
    const now = this.#deps.clock.now();
    const justNow = now.getTime() - unseenMs;
    for (const run of await this.#deps.runs.list(name, newestRuns)) {
      const { id, manifest, manifestSha256, copies, finishedAt } = run;
      if (!manifest || Date.parse(finishedAt ?? run.createdAt) < justNow) continue;
      const folder = manifestFolder(manifest);
      const sha = manifestSha256 === undefined ? {} : { manifestSha256 };
      const known = found.get(folder) ?? { name, id, folder, manifest, ...sha, copies: [], proofs: [] };
      const stored = copies.filter(({ status }) => status === "stored").map(({ storage }) => storage);
      const all = [...new Set([...known.copies, ...stored])];
      if (all.length > 0) found.set(folder, { ...known, copies: all });
    }
    const order = ({ manifest }: VerifiableBackup): string => orderOf(manifest.startedAt, now);
    return [...found.values()].toSorted((a, b) => (order(a) < order(b) ? 1 : -1)).slice(0, limit);
  }

  /** One backup by the id of its run. */
  async backup(name: string, id: string): Promise<VerifiableBackup | undefined> {
    const known = (await this.backups(name)).find((backup) => backup.id === id);
    if (known) return known;
    const older = await this.#deps.catalogue.find(name, id);
    return older && { name, id, ...older };
  }

  /** Whose copy is looked at: that of the wish, of the configuration, one elsewhere than on the worker's disk, any. */
  storageFor(backup: Pick<VerifiableBackup, "name" | "copies">, wished?: string): string | undefined {
    const { backups, storages } = this.#deps.config;
    const wish = wished ?? backups.find(({ name }) => name === backup.name)?.verify.storage;
    const reachable = backup.copies.filter((storage) => storages[storage] !== undefined);
    if (wish !== undefined && reachable.includes(wish)) return wish;
    return reachable.find((storage) => storages[storage]?.kind !== "local") ?? reachable[0];
  }

  /** Records a verification once and enqueues it. */
  async request(order: VerificationOrder): Promise<{ verification: Verification; created: boolean }> {
    const { verifications, cards, clock, config, logger } = this.#deps;
    const { backup, trigger, requestedBy, dueAt } = order;
    const settings = config.backups.find(({ name }) => name === backup.name);
    const storage = this.storageFor(backup, order.storage);
    if (storage === undefined) {
      const text = { key: "error-verify-no-copy", args: { backup: backup.id } };
      throw new AppError("no-copy", `no configured storage holds a copy of ${backup.id}`, { text });
    }
    const now = clock.now();
    const id = createHash("sha256")
      .update(order.source ?? randomUUID())
      .digest("hex")
      .slice(0, 12);
    const verification: Verification = {
      id,
      name: backup.name,
      backup: backup.id,
      folder: backup.folder,
      backupAt: backup.manifest.startedAt,
      ...(backup.manifestSha256 === undefined ? {} : { manifestSha256: backup.manifestSha256 }),
      storage,
      location: this.#deps.location(storage),
      encrypted: backup.manifest.encryption !== undefined,
      depth: order.depth ?? settings?.verify.depth ?? "restored",
      trigger,
      ...(requestedBy ? { requestedBy } : {}),
      ...(dueAt ? { dueAt: dueAt.toISOString() } : {}),
      status: "queued",
      phase: "waiting",
      createdAt: now.toISOString(),
      attempt: 0,
      fence: 0,
    };
    const created = await verifications.create(verification, now);
    const target = order.target ?? placeOf(config, { chat: settings?.chat, topic: settings?.topic ?? "backups" });
    // Card and job are made again when it exists already: a kill in between leaves neither of them out.
    if (target && target !== "none") await cards.place(verifications.ref(id), target, "reply", now);
    const current = await verifications.get(id);
    if (!isOver(current)) await this.enqueue(current);
    if (created)
      logger.info(
        { verification: id, backup: backup.name, run: backup.id, storage, trigger, by: requestedBy?.id },
        "verification ordered",
      );
    return { verification: current, created };
  }

  /**
   * Orders what a schedule wants: the newest backup of the name. One of the schedule that has not ended stands for this
   * time too. Undefined: there is nothing to look at.
   */
  async schedule(name: string, dueAt: Date): Promise<Verification | undefined> {
    const source = `verify-schedule:${name}:${dueAt.toISOString()}`;
    const waiting = (await this.#deps.verifications.unsettled()).find(
      (other) => other.name === name && other.trigger === "schedule" && !isOver(other),
    );
    if (waiting && waiting.dueAt !== dueAt.toISOString()) return waiting;
    const [newest] = await this.backups(name, 5);
    if (!newest) return undefined;
    return (await this.request({ backup: newest, trigger: "schedule", source, dueAt })).verification;
  }

  /** The same look once more; each can be repeated once by its button. */
  async again(id: string, by: Person, target: ChatTarget): Promise<Verification> {
    const { verifications, clock } = this.#deps;
    const before = await verifications.get(id);
    if (!isOver(before)) {
      const text = { key: "error-verification-running" };
      throw new AppError("conflict", `verification ${id} is ${before.status}`, { text });
    }
    const backup = await this.backup(before.name, before.backup);
    if (!backup) {
      const text = { key: "error-verify-no-copy", args: { backup: before.backup } };
      throw new AppError("no-copy", `no configured storage holds a copy of ${before.backup}`, { text });
    }
    const { depth, storage } = before;
    const order = {
      backup,
      depth,
      storage,
      trigger: "again",
      source: `verify-again:${id}`,
      requestedBy: by,
      target,
    } as const;
    const { verification } = await this.request(order);
    await verifications.update(id, "reply", clock.now(), (current) =>
      current.again ? current : { ...current, again: { verification: verification.id, by } },
    );
    return verification;
  }

  /** Asks it to stop. Waiting: it is cancelled at once. Running: its worker notices within a second. */
  async cancel(id: string, by: Person): Promise<Verification> {
    const now = this.#deps.clock.now();
    return await this.#deps.verifications.update(id, "reply", now, (current) => {
      if (isOver(current) || current.cancelRequestedBy) return current;
      if (current.status === "queued" && !current.scratch)
        return { ...current, status: "cancelled", cancelRequestedBy: by, finishedAt: now.toISOString() };
      return { ...current, cancelRequestedBy: by };
    });
  }

  /** The host whose worker has to do it; undefined: any. */
  hostOf({ storage, name }: Pick<Verification, "storage" | "name">): string | undefined {
    return hostOfCopies(this.#deps.config, storage, name);
  }

  isServed(verification: Verification, workerHosts: ReadonlySet<string>, now: Date): boolean {
    if (now.getTime() - Date.parse(verification.createdAt) < workerStartMs) return true;
    const host = this.hostOf(verification);
    return host === undefined ? workerHosts.size > 0 : workerHosts.has(host);
  }

  async enqueue(verification: Verification): Promise<void> {
    const host = this.hostOf(verification);
    await this.#deps.producer.enqueue("verify", { verificationId: verification.id }, { id: jobId(verification), host });
  }

  /** Puts back into the queue whose job is gone. */
  async requeueLost(): Promise<string[]> {
    const { verifications, producer } = this.#deps;
    const requeued: string[] = [];
    for (const verification of (await verifications.unsettled()).filter(needsVerifier)) {
      const id = jobId(verification);
      const host = this.hostOf(verification);
      if (await producer.isPending("verify", id, host)) continue;
      await producer.forget("verify", id, host);
      await this.enqueue(verification);
      requeued.push(id);
    }
    return requeued;
  }
}

function jobId({ id }: Verification): string {
  return `verify-${id}`;
}
