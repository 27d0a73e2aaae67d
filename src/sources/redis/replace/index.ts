import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type {
  Changes,
  Recovered,
  ReplacementJournal,
  ReplacementLook,
  SwapReport,
  UndoReport,
} from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { takeHold } from "../../hold.ts";
import type { ReplacementContext, ReplacementOrder, Replacer } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { artifact } from "../artifact.ts";
import { keyspace, keyspaceText, totalKeys } from "../info.ts";
import { untilPersisted } from "../replicate.ts";
import type { RedisConfig } from "../schema.ts";
import { RestoreGoal, requireNotOlder } from "../target.ts";
import { compareKeys } from "../test-restore.ts";
import { cliFor } from "../tools.ts";
import { addressOf } from "../url.ts";
import { changesSince, stateOf } from "./changes.ts";
import { WorkFolder } from "./folder.ts";
import { lookAt, refused } from "./look.ts";
import { type LookWork, obstaclesTo } from "./obstacles.ts";
import { type Begun, finish, isBegun } from "./recover.ts";
import { dropKept, highestDatabase, keep, type Sidecar, startSidecar, takeKept } from "./sidecar.ts";
import { follows, release, type TakeoverFacts, takeOver } from "./takeover.ts";

/**
 * Replaces all databases of a Redis: a private one on this machine loads the snapshot, the live one takes it over as its
 * replica and becomes a master again. Nothing of what it had stays there: the way back is the backup made before.
 */
class RedisReplacer implements Replacer {
  readonly #config: RedisConfig;
  readonly #order: ReplacementOrder;
  readonly #name: string;

  constructor(config: RedisConfig, order: ReplacementOrder) {
    this.#config = config;
    this.#order = order;
    this.#name = addressOf(config.url).name;
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    if (reader !== undefined) await readBeginning(reader);
    return await lookAt(await this.#work(manifest, signal));
  }

  async prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { signal } = context;
    const work = await this.#work(reader.manifest, signal);
    const { goal, folder } = work;
    await using _hold = await this.#hold();
    const info = await goal.info();
    const { obstacles } = await obstaclesTo(work, info);
    const [obstacle] = obstacles;
    if (obstacle !== undefined) throw refused(this.#name, obstacle);
    this.#requireIdentity(info.get("run_id"), context);
    const { swapped } = await folder.state();
    if (swapped !== undefined) throw this.#refusal("error-replace-redis-over", "was replaced already by this restore");
    await context.record({ step: "make", facts: {} });
    await folder.make();
    const inner = await folder.inner("backup", true);
    await dropKept(inner);
    const begin = performance.now();
    let sidecar: Sidecar | undefined;
    try {
      await context.record({ step: "fill", facts: {} });
      const progress = (bytes: number): void => context.progress?.(bytes);
      sidecar = await startSidecar(reader, { folder: inner, address: await goal.ownAddress(), signal, progress });
      const { loaded, entries } = sidecar;
      const restoreMs = Math.round(performance.now() - begin);
      await context.record({ step: "compare", facts: {} });
      requireNotOlder(info, loaded);
      await requireDatabases(goal, highestDatabase(loaded));
      const report = { restoreMs, ...compareKeys(entries, totalKeys(loaded), keyspace(loaded).size) };
      context.step?.(totalKeys(loaded), totalKeys(loaded), "keys");
      if (report.differencesTotal > 0) {
        await sidecar[Symbol.asyncDispose]();
        await folder.remove();
        return report;
      }
      const keys = keyspaceText(loaded);
      await context.record({ step: "prepared", facts: { keys } });
      await folder.write({ prepared: { keys, highest: highestDatabase(loaded) } });
      await keep(inner, sidecar);
      return report;
    } catch (error) {
      await sidecar?.[Symbol.asyncDispose]();
      await folder.remove();
      throw error;
    }
  }

  async swap(context: ReplacementContext): Promise<SwapReport> {
    const { goal, folder } = await this.#ground(context.signal);
    await using _hold = await this.#hold();
    const { prepared } = await folder.state();
    if (prepared === undefined || !(await folder.hasSnapshot("backup"))) {
      throw this.#refusal("error-replace-redis-not-prepared", "can not be replaced: nothing is prepared");
    }
    const info = await goal.info();
    this.#requireIdentity(info.get("run_id"), context);
    if (info.get("role") !== "master") throw refused(this.#name, { key: "error-redis-target-replica" });
    const inner = await folder.inner("backup", false);
    await using sidecar = (await takeKept(inner)) ?? (await this.#start(goal, inner, context.signal));
    const { facts, refusedMs } = await this.#takeOver(goal, sidecar, { context, step: "swap" });
    return await this.#finishSwap(goal, folder, { context, facts, refusedMs });
  }

  async changes(signal: AbortSignal, manifest?: Manifest): Promise<Changes> {
    const { goal, folder } = await this.#ground(signal);
    const { swapped } = await folder.state();
    return await changesSince(goal, swapped, manifest?.source["databases"] ?? "");
  }

  async undo(context: ReplacementContext, manifest?: Manifest): Promise<UndoReport> {
    const { former, signal } = context;
    if (former === undefined) throw this.#refusal("error-replace-redis-no-former", "has no backup from before");
    const { goal, folder } = await this.#ground(signal);
    await using _hold = await this.#hold();
    let info = await goal.info();
    const { journal } = context;
    if (isBegun(journal) && follows(info, journal.facts)) {
      // An earlier attempt could not make it a master again.
      await release(goal, journal.facts);
      info = await goal.info();
    }
    if (info.get("role") !== "master") throw refused(this.#name, { key: "error-redis-target-replica" });
    await folder.make();
    const inner = await folder.inner("former", true);
    const progress = (bytes: number): void => context.progress?.(bytes);
    await using sidecar = await startSidecar(former, {
      folder: inner,
      address: await goal.ownAddress(),
      signal,
      progress,
    });
    const compared = compareKeys(sidecar.entries, totalKeys(sidecar.loaded), keyspace(sidecar.loaded).size);
    if (compared.differencesTotal > 0)
      throw this.#refusal("error-replace-redis-former", "has a damaged backup from before");
    await requireDatabases(goal, highestDatabase(sidecar.loaded));
    const { swapped } = await folder.state();
    const changes = await changesSince(goal, swapped, manifest?.source["databases"] ?? "");
    const { facts, refusedMs } = await this.#takeOver(goal, sidecar, { context, step: "undo" });
    const remarks = await persist(goal);
    await context.record({ step: "undone", facts });
    return { refusedMs, sessionsEnded: 0, changes, ...(remarks.length > 0 && { remarks }) };
  }

  async discard(context: ReplacementContext): Promise<void> {
    const { folder } = await this.#ground(context.signal);
    await using _hold = await this.#hold();
    if (isBegun(context.journal)) await this.#recover(context);
    await dropKept(`${folder.path}/backup`);
    if (!(await folder.isThere())) return;
    await context.record({ step: "discard", facts: {} });
    await folder.remove();
  }

  async recover(context: ReplacementContext): Promise<Recovered> {
    await using _hold = await this.#hold();
    return await this.#recover(context);
  }

  async #recover(context: ReplacementContext): Promise<Recovered> {
    const { goal, folder } = await this.#ground(context.signal);
    const { journal } = context;
    if (isBegun(journal)) return await this.#goOn(goal, folder, context, journal);
    if (journal?.step === "swapped" || journal?.step === "undone") return journal.step;
    if ((await folder.state()).prepared !== undefined && (await folder.hasSnapshot("backup"))) return "prepared";
    if (!(await folder.isThere())) return "nothing";
    await folder.remove();
    return "rolled-back";
  }

  /** Finishes a takeover that was cut off, with the same data; else says which the live server has. */
  async #goOn(goal: RestoreGoal, folder: WorkFolder, context: ReplacementContext, journal: Begun): Promise<Recovered> {
    const { step } = journal;
    const what = step === "swap" ? "backup" : "former";
    const again = async (reader?: BackupReader): Promise<TakeoverFacts> => {
      await folder.make();
      const inner = await folder.inner(reader === undefined ? what : "former", reader !== undefined);
      await using sidecar = await this.#start(goal, inner, context.signal, reader);
      const to = reader === undefined ? step : "undo";
      return (await this.#takeOver(goal, sidecar, { context, step: to, former: journal.facts })).facts;
    };
    const result = await finish({
      goal,
      facts: journal.facts,
      again: (await folder.hasSnapshot(what)) ? () => again() : undefined,
      former: context.former === undefined ? undefined : () => again(context.former),
    });
    if (step === "undo") {
      if (result.holds === "former") return "swapped";
      await persist(goal);
      await context.record({ step: "undone", facts: result.facts });
      return "undone";
    }
    if (result.holds === "former") return (await folder.hasSnapshot("backup")) ? "prepared" : "rolled-back";
    if (result.holds === "restored") return "rolled-back";
    await this.#finishSwap(goal, folder, { context, facts: result.facts, refusedMs: 0 });
    return "swapped";
  }

  async #finishSwap(
    goal: RestoreGoal,
    folder: WorkFolder,
    done: { readonly context: ReplacementContext; readonly facts: TakeoverFacts; readonly refusedMs: number },
  ): Promise<SwapReport> {
    const { context, facts, refusedMs } = done;
    await folder.make();
    await folder.write({ swapped: await stateOf(goal) });
    await folder.inner("backup", true);
    const remarks = await persist(goal);
    await context.record({ step: "swapped", facts });
    return { refusedMs, sessionsEnded: 0, ...(remarks.length > 0 && { remarks }) };
  }

  async #takeOver(
    goal: RestoreGoal,
    sidecar: Sidecar,
    options: {
      readonly context: ReplacementContext;
      readonly step: "swap" | "undo";
      readonly former?: TakeoverFacts;
    },
  ): ReturnType<typeof takeOver> {
    const { context, step, former } = options;
    const record = (facts: TakeoverFacts): Promise<void> =>
      context.record({ step, facts } satisfies ReplacementJournal);
    return await takeOver({ goal, sidecar, signal: context.signal, former, record });
  }

  async #start(goal: RestoreGoal, folder: string, signal: AbortSignal, reader?: BackupReader): Promise<Sidecar> {
    return await startSidecar(reader, { folder, address: await goal.ownAddress(), signal });
  }

  async #ground(signal: AbortSignal): Promise<{ readonly goal: RestoreGoal; readonly folder: WorkFolder }> {
    const { url, tls, bin, via } = this.#config;
    const goal = new RestoreGoal(cliFor(addressOf(url), { tls, bin, via }), signal);
    return { goal, folder: await WorkFolder.of(this.#order.id) };
  }

  async #work(manifest: Manifest, signal: AbortSignal): Promise<LookWork> {
    const ground = await this.#ground(signal);
    return { config: this.#config, order: this.#order, name: this.#name, manifest, signal, ...ground };
  }

  #hold(): Promise<AsyncDisposable> {
    return takeHold([`redis ${this.#name}`]);
  }

  #requireIdentity(runId: string | undefined, { identity }: ReplacementContext): void {
    if (runId === identity.database) return;
    throw this.#refusal(
      "error-replace-redis-changed",
      "is not the server that was to be replaced: it was started anew",
    );
  }

  #refusal(key: string, message: string): AppError {
    const text: Text = { key, args: { server: this.#name } };
    return new AppError("conflict", `Redis ${this.#name} ${message}`, { context: { step: "preflight" }, text });
  }
}

/** Waits for what is live to be on the server's disk. What can not be saved is live nevertheless: somebody has to be told. */
async function persist(goal: RestoreGoal): Promise<Text[]> {
  const patient = goal.within(3_600_000);
  try {
    await untilPersisted(() => patient.info(), AbortSignal.timeout(3_600_000));
    if ((await patient.setting("save")) !== "") await patient.ask(["BGSAVE"]);
    await untilPersisted(() => patient.info(), AbortSignal.timeout(3_600_000));
    return [];
  } catch (error) {
    return [error instanceof AppError && error.text !== undefined ? error.text : { key: "error-redis-persist" }];
  }
}

/** A server that is sent a database that it does not have ends itself. */
async function requireDatabases(goal: RestoreGoal, highest: number): Promise<void> {
  if (Number(await goal.setting("databases")) > highest) return;
  throw new AppError("conflict", `the live Redis has no database ${highest}: raise its setting databases`, {
    context: { step: "preflight" },
    text: { key: "error-redis-target-databases" },
  });
}

/** Reads so much of it that a wrong key or a missing copy is found. */
async function readBeginning(reader: BackupReader): Promise<void> {
  const stream = await reader.open(artifact(reader.manifest));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) if (chunk.length > 0) break;
  } finally {
    stream.destroy();
  }
}

/** The replacer of one order. */
export function createReplacer(config: RedisConfig, order: ReplacementOrder): Replacer {
  return new RedisReplacer(config, order);
}
