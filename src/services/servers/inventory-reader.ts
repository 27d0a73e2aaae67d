import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { bucketPercent } from "../../core/inventory.ts";
import type { KeptError, ProviderBackup } from "../../core/managed.ts";
import type { Clock } from "../../core/ports.ts";
import type { ServerFacts } from "../../core/server.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact, redactText } from "../../lib/redaction.ts";
import type { Inventory, Provider, ServerTarget } from "../../providers/types.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type {
  AccountInventory,
  DatabaseDetails,
  DiskBackups,
  InventoryStates,
  Section,
  ServerDetails,
} from "../../state/inventory.ts";
import { databaseKey, type InventorySubject, keptBackups, splitDatabase } from "./inventory.ts";

export interface InventoryReaderDeps {
  readonly config: Pick<Config, "providers" | "servers">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inventoryStates: InventoryStates;
  /** Opens what `servers[].provider` names; opened once and shared. */
  provider(name: string): Provider | Promise<Provider>;
}

/** Milliseconds for all questions of one job: a provider that hardly answers must not keep others waiting. */
const deadlineMs = 90_000;
/** Of what a list has, as much is kept. */
const most = { actions: 10, disks: 16, domains: 300, databases: 300, buckets: 500 } as const;

/** Asks providers what they know beside measurements, and keeps what they say. */
export class InventoryReader {
  readonly #deps: InventoryReaderDeps;

  constructor(deps: InventoryReaderDeps) {
    this.#deps = deps;
  }

  async execute({ kind, id }: InventorySubject, job: Pick<JobContext, "signal">): Promise<JobOutcome> {
    const signal = AbortSignal.any([job.signal, AbortSignal.timeout(deadlineMs)]);
    const reading = new Reading(this.#deps, signal, job.signal);
    if (kind === "account") await reading.account(id);
    else if (kind === "server") await reading.server(id);
    else await reading.database(splitDatabase(id));
    return { done: { kind, id, failed: reading.failed } };
  }

  /** The inventory of an account. @throws AppError `config` when its provider has none. */
  async open(account: string): Promise<Inventory> {
    const { inventory } = await this.#deps.provider(account);
    if (inventory) return inventory;
    const text = { key: "error-inventory-none", args: { account } };
    throw new AppError("config", `provider ${account} has no managed databases`, { text });
  }
}

/** The questions of one job. Each has an answer or a failure of its own. */
class Reading {
  readonly #deps: InventoryReaderDeps;
  readonly #signal: AbortSignal;
  readonly #stop: AbortSignal;
  failed = 0;

  /** `stop`: the worker shuts down; `signal`: that, or it takes too long. */
  constructor(deps: InventoryReaderDeps, signal: AbortSignal, stop: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
    this.#stop = stop;
  }

  async account(name: string): Promise<void> {
    const { inventoryStates, config, clock } = this.#deps;
    if (!config.providers[name]) return;
    const before = await inventoryStates.read("account", name);
    const { inventory } = await this.#deps.provider(name);
    const signal = this.#signal;
    if (!inventory) {
      await inventoryStates.note("account", name, { at: clock.now() });
      return;
    }
    const [finances, domains, databases, buckets] = await Promise.all([
      this.#ask(before?.finances, async () => await inventory.finances(signal)),
      this.#ask(before?.domains, async () =>
        (await inventory.domains(signal))
          .toSorted((a, b) => (a.expiresAt?.getTime() ?? 8.64e15) - (b.expiresAt?.getTime() ?? 8.64e15))
          .slice(0, most.domains),
      ),
      this.#ask(before?.databases, async () => (await inventory.databases(signal)).slice(0, most.databases)),
      this.#ask(before?.buckets, async () =>
        (await inventory.buckets(signal))
          .toSorted((a, b) => (bucketPercent(b) ?? -1) - (bucketPercent(a) ?? -1))
          .slice(0, most.buckets),
      ),
    ]);
    const record: AccountInventory = {
      at: clock.now(),
      ...(finances ? { finances } : {}),
      ...(domains ? { domains } : {}),
      ...(databases ? { databases } : {}),
      ...(buckets ? { buckets } : {}),
    };
    await inventoryStates.note("account", name, record);
    if (!databases?.known || databases.failed) return;
    const there = new Set(databases.known.value.map(({ id }) => databaseKey(name, id)));
    await inventoryStates.retain("database", (key) => splitDatabase(key).account !== name || there.has(key));
  }

  async server(name: string): Promise<void> {
    const { inventoryStates, config, clock } = this.#deps;
    const server = config.servers.find((one) => one.name === name);
    if (!server) return;
    const before = await inventoryStates.read("server", name);
    const provider = await this.#deps.provider(server.provider);
    const target: ServerTarget = { name, config: server.config };
    const { power, inventory } = provider;
    const signal = this.#signal;
    const [facts, actions] = await Promise.all([
      this.#ask(before?.facts, async () => await factsOf(provider, target, signal)),
      this.#ask(before?.actions, async () =>
        (await power?.actionLog(target, most.actions, signal))?.slice(0, most.actions),
      ),
    ]);
    const disks = facts?.known?.value.disks ?? [];
    const backups = await this.#ask(before?.backups, async () => {
      // Without knowing its disks nobody can say that there are no backups.
      if (!inventory || !facts?.known) return undefined;
      const kept: DiskBackups[] = [];
      for (const { id, isSystem } of disks.slice(0, most.disks))
        kept.push({
          disk: id,
          isSystem,
          backups: newest(await inventory.diskBackups(target, id, signal), keptBackups.disk),
        });
      return kept;
    });
    const consoleUrl = power?.consoleUrl?.(target);
    const record: ServerDetails = {
      at: clock.now(),
      ...(facts ? { facts } : {}),
      ...(actions ? { actions } : {}),
      ...(backups ? { backups } : {}),
      ...(consoleUrl === undefined ? {} : { consoleUrl }),
    };
    await inventoryStates.note("server", name, record);
  }

  async database({ account, id }: ReturnType<typeof splitDatabase>): Promise<void> {
    const { inventoryStates, config, clock } = this.#deps;
    if (!config.providers[account]) return;
    const key = databaseKey(account, id);
    const before = await inventoryStates.read("database", key);
    const { inventory } = await this.#deps.provider(account);
    if (!inventory) return;
    const [backups, auto] = await Promise.all([
      this.#ask(before?.backups, async () =>
        newest(await inventory.databaseBackups(id, this.#signal), keptBackups.database),
      ),
      this.#ask(before?.auto, async () => await inventory.autoBackups(id, this.#signal)),
    ]);
    const record: DatabaseDetails = {
      at: clock.now(),
      ...(backups ? { backups } : {}),
      ...(auto ? { auto } : {}),
    };
    await inventoryStates.note("database", key, record);
  }

  /** Asks; what fails leaves what was known, and since when. Undefined: there is no such thing. */
  async #ask<T>(before: Section<T> | undefined, ask: () => Promise<T | undefined>): Promise<Section<T> | undefined> {
    const { clock, logger } = this.#deps;
    try {
      const value = await ask();
      return value === undefined ? undefined : { known: { at: clock.now(), value } };
    } catch (cause) {
      this.#stop.throwIfAborted();
      this.failed += 1;
      const error = keptError(cause);
      if (!before?.failed) logger.warn({ code: error.code, error: error.message }, "a provider could not be asked");
      const at = before?.failed?.at ?? clock.now();
      return { ...(before?.known ? { known: before.known } : {}), failed: { at, error } };
    }
  }
}

async function factsOf(
  provider: Provider,
  target: ServerTarget,
  signal: AbortSignal,
): Promise<ServerFacts | undefined> {
  if (provider.power) return await provider.power.facts(target, signal);
  return (await provider.facts?.([target], signal))?.get(target.name);
}

function newest(backups: readonly ProviderBackup[], most: number): readonly ProviderBackup[] {
  return backups.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, most);
}

/** An error as it is kept and shown. */
export function keptError(cause: unknown): KeptError {
  const { code, message, text } =
    cause instanceof DOMException && cause.name === "TimeoutError"
      ? new AppError("timeout", `no answer within ${deadlineMs} ms`, { text: { key: "error-inventory-slow" } })
      : toAppError(cause);
  return { code, message: redact(message), ...(text ? { text: redactText(text) } : {}) };
}
