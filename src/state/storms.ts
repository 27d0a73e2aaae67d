import type { ChatTarget } from "../core/card.ts";
import type { DailySpan } from "../core/route.ts";
import { type Severity, severities } from "../core/signal.ts";
import type { CardRef } from "./card-ref.ts";
import { stormId, targetName } from "./incidents.ts";
import { type Keys, type Redis, Script } from "./redis.ts";
import { endStormLua, openStormLua, ringStormLua } from "./storms-lua.ts";

/** What a storm's card says of the incidents that it stands for. */
export interface StormSummary {
  readonly id: string;
  readonly target: ChatTarget;
  readonly startedAt: Date;
  /** When the newest one began. */
  readonly lastAt?: Date;
  readonly endedAt?: Date;
  /** It gathers what could not be shown in time, rather than what came too fast. */
  readonly late: boolean;
  /** How many there were in it, those with cards of their own included. */
  readonly total: number;
  /** How many of those with cards of their own fire. */
  readonly ownFiring: number;
  readonly counts: Readonly<Record<Severity, { readonly firing: number; readonly over: number }>>;
  /** How those that are over ended. */
  readonly ended: { readonly resolved: number; readonly closed: number; readonly noted: number };
  /** How many of those that fire somebody has acknowledged, how many are silenced, how many are neither, nor flap. */
  readonly acknowledged: number;
  readonly silenced: number;
  readonly ringing: number;
  /** When those are silent that are neither silenced nor flapping, as their routes say. */
  readonly silent: readonly (DailySpan | boolean)[];
  /** How often its card has to have been posted anew. */
  readonly rings: number;
  /** Titles as JSON of a text or a `Text`. */
  readonly first?: string;
  readonly last?: string;
  /** The most frequent labels. */
  readonly labels: readonly { readonly label: string; readonly count: number }[];
}

const endScript = new Script(endStormLua);
const openScript = new Script(openStormLua);
const ringScript = new Script(ringStormLua);

/** Storms: what many incidents at once are shown as. Their numbers are kept by the incidents' own changes. */
export class Storms {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  ref(id: string): CardRef {
    return { kind: "storm", id };
  }

  /** Storms that rage now: where, and which. */
  async raging(): Promise<{ readonly target: string; readonly id: string }[]> {
    const all = await this.#redis.hgetall(this.#keys.of("storms"));
    return Object.entries(all).map(([target, id]) => ({ target, id }));
  }

  /** Ends a storm in which there were not too many new ones at once for `calm` milliseconds. True when it has ended now. */
  async end(storm: { readonly target: string; readonly id: string }, calm: number, now: Date): Promise<boolean> {
    const args = [this.#keys.root, storm.target, storm.id, now.getTime(), calm];
    return Number(await endScript.run(this.#redis, [this.#keys.of("wake")], args)) === 1;
  }

  /** Ids of storms whose cards are to ring again. */
  async ringsDue(now: Date): Promise<string[]> {
    return await this.#redis.zrangebyscore(this.#keys.of("storm-rings"), "-inf", now.getTime());
  }

  /** Has a storm's card posted anew, if anything in it is still worth a sound. */
  async ring(id: string, now: Date): Promise<void> {
    await ringScript.run(this.#redis, [this.#keys.of("wake")], [this.#keys.root, id, now.getTime()]);
  }

  /** Makes the card for what could not be shown since `startedAt`. Returns its id. */
  async openLate(target: ChatTarget, startedAt: Date, now: Date): Promise<string> {
    const id = stormId(targetName(target), startedAt);
    const args = [
      this.#keys.root,
      targetName(target),
      id,
      startedAt.getTime(),
      now.getTime(),
      target.chatId,
      target.threadId ?? "",
    ];
    await openScript.run(this.#redis, [this.#keys.of("wake")], args);
    return id;
  }

  /** Ids of storms that began before `before`. */
  async known(before: Date): Promise<string[]> {
    return await this.#redis.zrangebyscore(this.#keys.of("storms-known"), "-inf", before.getTime());
  }

  async summary(id: string): Promise<StormSummary | undefined> {
    const key = this.#keys.of("storm", id);
    const [fields, labels] = await Promise.all([
      this.#redis.hgetall(key),
      this.#redis.zrevrange(`${key}:labels`, 0, 7, "WITHSCORES"),
    ]);
    const { target, startedAt, lastAt, endedAt, total, first, last, late } = fields;
    if (target === undefined) return undefined;
    const number = (name: string): number => Number(fields[name] ?? 0);
    const of = (severity: Severity): { firing: number; over: number } => ({
      firing: number(`n:${severity}:firing`),
      over: number(`n:${severity}:resolved`) + number(`n:${severity}:closed`) + number(`n:${severity}:noted`),
    });
    const counts = Object.fromEntries(severities.map((severity) => [severity, of(severity)]));
    const all = (status: string): number =>
      severities.reduce((sum, severity) => sum + number(`n:${severity}:${status}`), 0);
    return {
      id,
      target: parseTarget(target),
      startedAt: new Date(Number(startedAt)),
      ...(lastAt === undefined ? {} : { lastAt: new Date(Number(lastAt)) }),
      ...(endedAt === undefined ? {} : { endedAt: new Date(Number(endedAt)) }),
      late: late === "1",
      total: Number(total),
      ownFiring: number("n:own:firing"),
      counts: counts as StormSummary["counts"],
      ended: { resolved: all("resolved"), closed: all("closed"), noted: all("noted") },
      acknowledged: number("n:acknowledged"),
      silenced: number("n:silenced"),
      ringing: number("n:ringing"),
      silent: Object.keys(fields).flatMap((name) =>
        name.startsWith(soundField) && number(name) > 0 ? [parseSound(name.slice(soundField.length))] : [],
      ),
      rings: number("rings"),
      ...(first === undefined ? {} : { first }),
      ...(last === undefined ? {} : { last }),
      labels: pairs(labels).map(([label, count]) => ({ label, count: Number(count) })),
    };
  }

  /** Ids of a storm's incidents: critical ones first, of these those that fire, of these the oldest. 0: all of them. */
  async members(id: string, limit = 0): Promise<string[]> {
    return await this.#redis.zrange(this.#keys.of("storm", id, "members"), 0, `${limit - 1}`);
  }

  /** Forgets a storm; its card is the caller's. */
  async forget(id: string): Promise<void> {
    const key = this.#keys.of("storm", id);
    await this.#redis.del(key, `${key}:members`, `${key}:labels`);
    await this.#redis.zrem(this.#keys.of("storms-known"), id);
    await this.#redis.zrem(this.#keys.of("storm-rings"), id);
  }
}

const soundField = "n:sound:";

/** Reads what `soundOf` has written. */
function parseSound(word: string): DailySpan | boolean {
  const [from, to] = word.split("-").map(Number);
  return from === undefined || to === undefined ? word === "true" : { from, to };
}

function parseTarget(text: string): ChatTarget {
  const [chat, thread] = text.split(":");
  return { chatId: Number(chat), ...(thread ? { threadId: Number(thread) } : {}) };
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((value, index) => (index % 2 === 0 ? [[value, flat[index + 1] ?? ""] as [string, string]] : []));
}
