import { setTimeout as delay } from "node:timers/promises";
import { AppError, toAppError } from "../../../core/errors.ts";
import { registerSecret } from "../../../lib/redaction.ts";
import { type Info, keyspaceText, totalKeys } from "../info.ts";
import { untilEqual } from "../replicate.ts";
import { RestoreGoal } from "../target.ts";
import { letIn, replicationOf, type Sidecar } from "./sidecar.ts";

/** What has to be known after a kill, as facts of the journal. No secrets: a password that was set is taken away again. */
export interface TakeoverFacts {
  readonly [name: string]: string;
  readonly address: string;
  readonly port: string;
  /** Id of the private server's data: the live one carries it from the moment that it holds all of them. */
  readonly replication: string;
  /** Of the live server. */
  readonly runId: string;
  /** Keys that it had, and those of what replaces them. */
  readonly was: string;
  readonly keys: string;
  /** Its own settings, to be put back. `auth`: "own", or "set" where it had none. */
  readonly auth: "own" | "set";
  readonly readOnly: string;
  readonly tls: string;
}

/**
 * Which data a server holds. `lost`: neither its former ones nor the new ones. `unknown`: it was started anew, and nothing
 * tells the ones from the others.
 */
export type Holds = "former" | "new" | "lost" | "unknown";

/** How long a server may take for loading what it has received; milliseconds. */
const loadWithinMs = 3_600_000;
const askEveryMs = 100;
/** How long one that does not answer, or is too busy to, is asked again: it may be just being started anew; milliseconds. */
const answerWithinMs = 60_000;

export interface Takeover {
  readonly goal: RestoreGoal;
  readonly sidecar: Sidecar;
  readonly signal: AbortSignal;
  /** Of a takeover that was cut off, whose settings are still those of the live server. */
  readonly former?: TakeoverFacts | undefined;
  record(facts: TakeoverFacts): Promise<void>;
}

/**
 * Lets the live server take over what the private one holds: as its replica, until it has the same to the last byte, then
 * as a master again. Meanwhile it refuses writes. Rejects when it holds its former data again, or with `isLost` of the error.
 */
export async function takeOver(work: Takeover): Promise<{ readonly facts: TakeoverFacts; readonly refusedMs: number }> {
  const { goal, sidecar, signal, former } = work;
  const facts = await factsOf(work);
  const own = former?.auth === "set" ? "" : await goal.setting("masterauth");
  const commands: string[] = [];
  if (own === "") commands.push(`CONFIG SET masterauth ${sidecar.password}`);
  else registerSecret(own);
  await letIn(
    sidecar,
    { user: await goal.setting("masteruser"), password: own === "" ? sidecar.password : own },
    signal,
  );
  if (facts.readOnly !== "yes") commands.push("CONFIG SET replica-read-only yes");
  if (facts.tls === "yes") commands.push("CONFIG SET tls-replication no");
  await work.record(facts);
  signal.throwIfAborted();
  const begin = performance.now();
  let failure: Error | undefined;
  try {
    await goal.ask([...commands, `REPLICAOF ${sidecar.address} ${sidecar.port}`]);
    await untilEqual(
      () => goal.info(),
      () => sidecar.server.info(),
      signal,
    );
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  await release(goal, facts);
  const refusedMs = Math.round(performance.now() - begin);
  const holds = holdsOf(await untilLoaded(goal.within(loadWithinMs)), facts);
  if (holds === "new") return { facts, refusedMs };
  throw holds === "lost" ? lost(failure) : (failure ?? notTaken());
}

async function factsOf({ goal, sidecar, signal, former }: Takeover): Promise<TakeoverFacts> {
  const live = await goal.info();
  const held = await sidecar.server.info();
  await new RestoreGoal(sidecar.server.cli, signal).ask(["REPLICAOF NO ONE"]);
  return {
    address: sidecar.address,
    port: String(sidecar.port),
    replication: await replicationOf(sidecar, signal),
    runId: live.get("run_id") ?? "",
    was: former?.was ?? keyspaceText(live),
    keys: keyspaceText(held),
    auth: former?.auth ?? ((await goal.setting("masterauth")) === "" ? "set" : "own"),
    readOnly: former?.readOnly ?? (await goal.setting("replica-read-only")),
    tls: former?.tls ?? (await goal.setting("tls-replication")),
  };
}

/**
 * Makes the live server a master again, with its own settings, also after an abort: left as a replica of what is gone it
 * could not be written to. While it loads it listens to nobody.
 */
export async function release(goal: RestoreGoal, facts: TakeoverFacts): Promise<void> {
  const patient = goal.within(loadWithinMs);
  await untilLoaded(patient);
  await patiently(() => patient.ask(["REPLICAOF NO ONE", ...putBack(facts)]));
}

/** Waits until a server listens to commands again, also for a while until it is there again. */
export async function untilLoaded(goal: RestoreGoal): Promise<Info> {
  for (;;) {
    const info = await patiently(() => goal.info());
    if (info.get("loading") !== "1" && info.get("async_loading") !== "1") return info;
    await delay(askEveryMs);
  }
}

/** Asks again for a while where the answer may be another one by itself: what is left half done is a server nobody can write to. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (toAppError(error).permanent || performance.now() - begin > answerWithinMs) throw error;
    }
    await delay(askEveryMs);
  }
}

/** The settings that were altered, as they were. */
export function putBack(facts: TakeoverFacts): string[] {
  const commands: string[] = [];
  if (facts.auth === "set") commands.push(`CONFIG SET masterauth ""`);
  if (facts.readOnly !== "" && facts.readOnly !== "yes")
    commands.push(`CONFIG SET replica-read-only ${facts.readOnly}`);
  if (facts.tls === "yes") commands.push("CONFIG SET tls-replication yes");
  return commands;
}

/** Whether a server is a replica of the private one of these facts. */
export function follows(info: Info, facts: Pick<TakeoverFacts, "address" | "port">): boolean {
  const { address, port } = facts;
  return info.get("role") === "slave" && info.get("master_host") === address && info.get("master_port") === port;
}

/**
 * Told by the id of its data, which it takes over with the last of them, and keeps as the second one when it is made a
 * master. A server that was started anew may have forgotten it.
 */
export function holdsOf(info: Info, facts: Pick<TakeoverFacts, "replication" | "was" | "keys" | "runId">): Holds {
  if ([info.get("master_replid"), info.get("master_replid2")].includes(facts.replication)) return "new";
  const keys = keyspaceText(info);
  const isSame = info.get("run_id") === facts.runId;
  if (!isSame && keys === facts.keys && keys !== facts.was) return "new";
  if (totalKeys(info) === 0 && facts.was !== "") return "lost";
  return isSame || (keys === facts.was && keys !== facts.keys) ? "former" : "unknown";
}

/** The live server holds neither its former data nor the new ones. */
export function lost(cause: unknown): AppError {
  const message =
    "the live Redis is empty: it could not load what it has received. The backup made before has its data";
  return new AppError("source-failed", message, {
    context: { step: "replicate", lost: true },
    text: { key: "error-replace-redis-lost" },
    cause,
  });
}

function notTaken(): AppError {
  return new AppError("source-failed", "the live Redis has not taken the data over: it holds its former ones", {
    permanent: false,
    context: { step: "replicate" },
    text: { key: "error-replace-redis-not-taken" },
  });
}
