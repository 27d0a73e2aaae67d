import { randomBytes } from "node:crypto";
import { type ChatTarget, type Urgency, urgencies } from "../core/card.ts";
import { endHeardAt, type Incident, isOpen, isUnseen } from "../core/incident.ts";
import type { DailySpan } from "../core/route.ts";
import type { Person } from "../core/run.ts";
import { type Severity, severities, severityRank } from "../core/signal.ts";
import type { CardRef } from "./card-ref.ts";
import { findLua, forgetLua, saveLua } from "./incidents-lua.ts";
import { answersOf, type Keys, type Redis, Script } from "./redis.ts";
import { foldLua, releaseLua } from "./storms-lua.ts";

/** An incident with what is needed to change it. */
export interface KnownIncident {
  readonly incident: Incident;
  /** Grows with every change. */
  readonly version: number;
}

/** How and where a saved incident is shown. */
export interface Showing {
  readonly urgency: Urgency;
  /** Nothing that is worth a look has changed. */
  readonly quiet?: boolean;
  /** It has to be on a card: its own, or the storm's in this place. */
  readonly show?: ChatTarget | undefined;
  /** When its route is silent, and whether it makes a sound now. */
  readonly silent?: Silent;
  readonly audible?: boolean;
  readonly storm: StormLimits;
}

/** As a route says it: at these times of the day, always, never. */
export type Silent = DailySpan | boolean | undefined;

export interface StormLimits {
  /** More new incidents than this within `within` milliseconds share one card. */
  readonly incidents: number;
  readonly within: number;
}

export interface Saved {
  /** Its own card, the id of the storm whose card shows it, or nowhere. */
  readonly where: "card" | "hidden" | { readonly storm: string };
  /** A storm that has begun with it. */
  readonly began?: string;
}

const findScript = new Script(findLua);
const saveScript = new Script(saveLua);
const releaseScript = new Script(releaseLua);
const foldScript = new Script(foldLua);
const forgetScript = new Script(forgetLua);

const kind = "incident";

/**
 * Incidents: the entities behind the incident cards, found by their identity, listed while they are open and after
 * their end. Every change is one atomic step together with what has to be shown because of it.
 */
export class Incidents {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  ref(id: string): CardRef {
    return { kind, id };
  }

  /** The newest incident of an identity. */
  async find(identity: string): Promise<KnownIncident | undefined> {
    const answer = await findScript.run(this.#redis, [this.#keys.of("incident-of")], [this.#keys.root, identity]);
    const [, version, body] = answer as [string, string, string] | [];
    return body === undefined ? undefined : { incident: JSON.parse(body) as Incident, version: Number(version) };
  }

  async read(id: string): Promise<KnownIncident | undefined> {
    const [version, body] = await this.#redis.hmget(this.#keys.of("card", kind, id), "ver", "body");
    return body == null ? undefined : { incident: JSON.parse(body) as Incident, version: Number(version) };
  }

  /**
   * Saves `incident`, which was made of `known` (the newest one of its identity). Undefined, changing nothing, when
   * somebody was faster: read again.
   */
  async save(
    incident: Incident,
    known: KnownIncident | undefined,
    showing: Showing,
    now: Date,
  ): Promise<Saved | undefined> {
    const same = known?.incident.id === incident.id ? known : undefined;
    const { show, storm } = showing;
    const target = show ? targetName(show) : "";
    const keys = ["incident-of", "incidents-open", "incidents-ended", "wake"].map((name) => this.#keys.of(name));
    const args = [
      this.#keys.root,
      incident.id,
      incident.identity,
      JSON.stringify(incident),
      urgencies[showing.urgency],
      now.getTime(),
      same?.version ?? 0,
      known?.incident.id ?? "",
      isOpen(incident) ? severityRank(incident.severity) * 1e14 + Math.max(0, Date.parse(incident.openedAt)) : "",
      endHeardMs(incident),
      severityRank(incident.severity),
      show ? 1 : 0,
      show?.chatId ?? "",
      show?.threadId ?? "",
      randomBytes(6).toString("base64url"),
      soundOf(showing.silent),
      storm.incidents,
      storm.within,
      stormId(target, now),
      same ? stormKind(same.incident) : "",
      stormKind(incident),
      JSON.stringify(incident.title),
      showing.quiet ? 1 : 0,
      (showing.audible ?? true) ? 1 : 0,
      same !== undefined && incident.rings > same.incident.rings ? 1 : 0,
      ...stormLabels(incident),
    ];
    const [version, where, began] = (await saveScript.run(this.#redis, keys, args)) as [number, string, string];
    if (Number(version) === 0) return undefined;
    return {
      where: where === "card" || where === "hidden" ? where : { storm: where },
      ...(began === "" ? {} : { began }),
    };
  }

  /** Notes for `ms` who is about to do something. Returns who was faster; undefined: nobody. */
  async claim(what: string, by: Person, ms: number): Promise<Person | undefined> {
    const key = this.#keys.of("incident-claim", what);
    if ((await this.#redis.set(key, JSON.stringify(by), "PX", ms, "NX")) === "OK") return undefined;
    const first = await this.#redis.get(key);
    return first === null ? undefined : (JSON.parse(first) as Person);
  }

  /** Gives a member of a storm that still fires a card of its own. */
  async release(incident: Incident, storm: string, target: ChatTarget, urgency: Urgency, now: Date): Promise<boolean> {
    const args = [
      this.#keys.root,
      storm,
      incident.id,
      target.chatId,
      target.threadId ?? "",
      randomBytes(6).toString("base64url"),
      urgencies[urgency],
      now.getTime(),
    ];
    return Number(await releaseScript.run(this.#redis, [this.#keys.of("wake")], args)) === 1;
  }

  /** Puts incidents whose cards nobody can have seen yet into a storm's card; `silentOf`: when its route is. Returns how many were moved. */
  async fold(
    incidents: AsyncIterable<Incident>,
    storm: string,
    silentOf: (incident: Incident) => Silent,
    now: Date,
  ): Promise<number> {
    const keys = [this.#keys.of("wake")];
    let folded = 0;
    for await (const some of inPortions(incidents)) {
      const calls = some.map((incident) => ({
        keys,
        args: [
          this.#keys.root,
          storm,
          incident.id,
          severityRank(incident.severity),
          now.getTime(),
          JSON.stringify(incident.title),
          soundOf(silentOf(incident)),
          ...stormLabels(incident),
        ],
      }));
      const answers = await foldScript.runAll(this.#redis, calls);
      folded += answers.filter((answer) => Number(answer) === 1).length;
    }
    return folded;
  }

  /** Which of these have cards, none of which has ever been in its chat. */
  async unseen(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const unseen = new Set<string>();
    for (let at = 0; at < ids.length; at += portion) {
      const some = ids.slice(at, at + portion);
      const cards = this.#redis.pipeline();
      for (const id of some) cards.smembers(this.#keys.of("placements", kind, id));
      const placements = answersOf(await cards.exec()) as string[][];
      const messages = this.#redis.pipeline();
      for (const placement of placements.flat()) messages.hexists(this.#keys.of("placement", placement), "messageId");
      const shown = (answersOf(await messages.exec()) as number[]).values();
      for (const [index, its] of placements.entries()) {
        const isShown = its.map(() => shown.next().value === 1).includes(true);
        if (its.length > 0 && !isShown) unseen.add(some[index] ?? "");
      }
    }
    return unseen;
  }

  /** Ids of open incidents that no card shows: silenced ones, and those of a process that knows no chats. */
  async hiddenIds(): Promise<string[]> {
    return await this.#redis.smembers(this.#keys.of("incidents-hidden"));
  }

  /** Ids of open incidents: critical ones first, and of those the oldest. */
  async openIds(): Promise<string[]> {
    return await this.#redis.zrange(this.#keys.of("incidents-open"), 0, "-1");
  }

  async openCount(): Promise<number> {
    return await this.#redis.zcard(this.#keys.of("incidents-open"));
  }

  /** How many are open, by severity. */
  async openCounts(): Promise<Readonly<Record<Severity, number>>> {
    const key = this.#keys.of("incidents-open");
    // The score begins with the severity.
    const count = async (severity: Severity): Promise<readonly [Severity, number]> => {
      const from = severityRank(severity) * 1e14;
      return [severity, await this.#redis.zcount(key, from, `(${from + 1e14}`)];
    };
    return Object.fromEntries(await Promise.all(severities.map(count))) as Record<Severity, number>;
  }

  /** Open incidents: critical ones first, and of those the oldest. */
  async open(): Promise<Incident[]> {
    return await this.readAll(await this.openIds());
  }

  /** What has ended since `from`, newest first; not what was never heard to begin. */
  async endedSince(from: Date, limit: number): Promise<Incident[]> {
    const ids = await this.endedIdsSince(from, limit);
    return (await this.readAll(ids)).filter((incident) => !isUnseen(incident));
  }

  /** Ids of what has ended since `from`, newest first; what was never heard to begin is among them. */
  async endedIdsSince(from: Date, limit: number): Promise<string[]> {
    const key = this.#keys.of("incidents-ended");
    return await this.#redis.zrevrangebyscore(key, "+inf", from.getTime(), "LIMIT", 0, limit);
  }

  /** Those that exist, in the given order. */
  async readAll(ids: readonly string[]): Promise<Incident[]> {
    const found: Incident[] = [];
    for await (const incident of this.each(ids)) found.push(incident);
    return found;
  }

  /** Those that exist, in the given order, read in portions: thousands hold up nobody and are never all in memory. */
  async *each(ids: readonly string[]): AsyncGenerator<Incident> {
    for (let at = 0; at < ids.length; at += portion) {
      const pipeline = this.#redis.pipeline();
      for (const id of ids.slice(at, at + portion)) pipeline.hget(this.#keys.of("card", kind, id), "body");
      for (const body of answersOf(await pipeline.exec()))
        if (typeof body === "string") yield JSON.parse(body) as Incident;
    }
  }

  /** Ids of incidents that have ended before `before`, oldest first. */
  async endedIds(before: Date, limit: number): Promise<string[]> {
    return await this.#redis.zrangebyscore(
      this.#keys.of("incidents-ended"),
      "-inf",
      `(${before.getTime()}`,
      "LIMIT",
      0,
      limit,
    );
  }

  async endedCount(): Promise<number> {
    return await this.#redis.zcard(this.#keys.of("incidents-ended"));
  }

  /** The oldest ended ones. */
  async oldestEnded(limit: number): Promise<string[]> {
    return await this.#redis.zrange(this.#keys.of("incidents-ended"), 0, `${limit - 1}`);
  }

  /** Forgets an incident that has ended, with its card. False when it goes on, or has changed meanwhile. */
  async forget(id: string): Promise<boolean> {
    const known = await this.read(id);
    if (!known) {
      await this.#redis.zrem(this.#keys.of("incidents-ended"), id);
      return true;
    }
    const args = [this.#keys.root, id, known.incident.identity, known.version];
    return Number(await forgetScript.run(this.#redis, [], args)) === 1;
  }

  /** The storm whose card shows an incident. */
  async stormOf(id: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#keys.of("card", kind, id), "storm")) ?? undefined;
  }
}

const portion = 200;

async function* inPortions<T>(list: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let some: T[] = [];
  for await (const one of list) {
    some.push(one);
    if (some.length < portion) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** What has ended is listed and kept by when that was heard; '' for what is open. */
function endHeardMs(incident: Incident): number | "" {
  const at = endHeardAt(incident);
  return at === undefined ? "" : Date.parse(at);
}

/** "<chat>:<thread>" */
export function targetName({ chatId, threadId }: ChatTarget): string {
  return `${chatId}:${threadId ?? ""}`;
}

/** A storm's id: the same for everybody who sees it begin at the same time. */
export function stormId(target: string, now: Date): string {
  return `s${now.getTime().toString(36)}${target.replaceAll(/\D/g, "").slice(-6)}`;
}

/** When a route is silent, as a word for the counters of storms. */
function soundOf(silent: Silent): string {
  return typeof silent === "object" ? `${silent.from}-${silent.to}` : String(silent ?? false);
}

function stormKind({ severity, status }: Incident): string {
  return `${severity}:${status}`;
}

/** Labels by which many things that fail at once have something in common. */
const commonLabels = ["alertname", "job", "service", "server", "instance", "host", "cluster", "env", "namespace"];

function stormLabels({ labels }: Incident): string[] {
  return commonLabels.flatMap((label) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
    return value === undefined || value === "" ? [] : [`${label}=${value.slice(0, 100)}`];
  });
}
