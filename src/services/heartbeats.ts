import { createHash, timingSafeEqual } from "node:crypto";
import type { Config, HeartbeatConfig } from "../app/config.ts";
import { AppError } from "../core/errors.ts";
import {
  applyPing,
  type HeartbeatRule,
  type HeartbeatState,
  judge,
  knownHeartbeat,
  type Ping,
} from "../core/heartbeat.ts";
import type { Clock } from "../core/ports.ts";
import type { Signal } from "../core/signal.ts";
import type { Logger } from "../lib/logger.ts";
import type { Attention, HeartbeatRecord, HeartbeatStates, KnownHeartbeat } from "../state/heartbeats.ts";
import type { Alerts } from "./alerts/alerts.ts";
import { describeBack, describeDown } from "./heartbeat-texts.ts";

export interface HeartbeatsDeps {
  readonly config: Pick<Config, "heartbeats" | "timezone">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly heartbeatStates: HeartbeatStates;
  readonly alerts: Pick<Alerts, "receive">;
}

/** Not having looked for so long, the watch was away; milliseconds. */
const awayAfterMs = 60_000;

/** A heartbeat that is no longer configured is forgotten after this; milliseconds. */
const forgetAfterMs = 3_600_000;

const mostAttempts = 100;

/** Somebody is about to tell what has changed; whoever finds it tells it too, as they may have died. */
const telling = "telling";

interface Watched {
  readonly config: HeartbeatConfig;
  readonly rule: HeartbeatRule;
  readonly keyDigest: Buffer;
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

const newsOf = ({ down }: HeartbeatState): string => (down ? JSON.stringify(down) : "");

/**
 * Signs of life that are expected from elsewhere. What is missed becomes an incident, and its end when the sign comes.
 * What has changed is recorded before it is told, and told until the alerts have it: a kill in between loses nothing.
 */
export class Heartbeats {
  readonly #deps: HeartbeatsDeps;
  #known: ReadonlyMap<string, Watched> | undefined;

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps;
  }

  get #watched(): ReadonlyMap<string, Watched> {
    this.#known ??= new Map(this.#deps.config.heartbeats.map((config) => [config.name, this.#watch(config)]));
    return this.#known;
  }

  #watch(config: HeartbeatConfig): Watched {
    const { every, cron, timezone = this.#deps.config.timezone, grace, key } = config;
    return { config, rule: { every, cron, timezone, grace }, keyDigest: digestOf(key) };
  }

  /** Takes a sign of life. False when nobody is known by this key. The time of the comparison tells nothing of it. */
  async ping(key: string, ping: Ping): Promise<boolean> {
    const given = digestOf(key);
    let found: Watched | undefined;
    for (const watched of this.#watched.values()) if (timingSafeEqual(given, watched.keyDigest)) found = watched;
    if (!found) return false;
    const known = await this.#change(found, (state, now) => applyPing(state, ping, now));
    await this.#tell(found, known);
    return true;
  }

  /** Looks at all of them: called every few seconds. */
  async check(): Promise<void> {
    const { heartbeatStates, clock } = this.#deps;
    if (this.#watched.size === 0 && (await heartbeatStates.all()).size === 0) return;
    const now = clock.now();
    const attention = await this.#attend(now);
    const all = await heartbeatStates.all();
    for (const [name, watched] of this.#watched) {
      const known = all.get(name);
      const state = knownHeartbeat(watched.rule, known?.record.state, now);
      const down = judge(watched.rule, state, now, attention.backSince);
      const isSame = state === known?.record.state && down === state.down && known.record.unknownSince === undefined;
      const next = isSame
        ? known
        : await this.#change(watched, (current, at) => this.#judged(watched, current, at, attention));
      await this.#tell(watched, next, attention);
    }
    for (const [name, known] of all) if (!this.#watched.has(name)) await this.#forget(name, known, now);
  }

  #judged({ rule }: Watched, state: HeartbeatState, now: Date, { backSince }: Attention): HeartbeatState {
    const down = judge(rule, state, now, backSince);
    return down ? { ...state, down } : state;
  }

  /** Notes that it has looked, and whether it was away before. */
  async #attend(now: Date): Promise<Attention> {
    const { heartbeatStates, logger } = this.#deps;
    const before = await heartbeatStates.attention();
    const at = now.getTime();
    const wasAway = before.lookedAt !== undefined && at - before.lookedAt > awayAfterMs;
    const attention: Attention = wasAway
      ? { lookedAt: at, awayFrom: before.lookedAt ?? at, backSince: at }
      : { ...before, lookedAt: at };
    if (wasAway) logger.info({ awayMs: at - (before.lookedAt ?? at) }, "heartbeats may have been missed meanwhile");
    await heartbeatStates.attend(attention);
    return attention;
  }

  /**
   * Replaces what is known, and notes in the same step that there is something to tell.
   * @throws AppError conflict when others change it without a pause.
   */
  async #change(
    { config, rule }: Watched,
    change: (state: HeartbeatState, now: Date) => HeartbeatState,
  ): Promise<KnownHeartbeat> {
    const { heartbeatStates, clock } = this.#deps;
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const known = await heartbeatStates.read(config.name);
      // Read after it: so times are in the order of the changes.
      const now = clock.now();
      const before = knownHeartbeat(rule, known?.record.state, now);
      const state = change(before, now);
      const isNews = newsOf(state) !== newsOf(before);
      const record: HeartbeatRecord = { state, told: isNews ? telling : (known?.record.told ?? "") };
      const replaced = await heartbeatStates.replace(config.name, known, record);
      if (replaced) return replaced;
    }
    throw new AppError("conflict", `heartbeat ${config.name} changes too fast`, { permanent: false });
  }

  /** Tells the alerts what they do not know yet. @throws AppError conflict when others change it without a pause. */
  async #tell(watched: Watched, known: KnownHeartbeat, attention: Attention = {}): Promise<void> {
    const { heartbeatStates, alerts, logger } = this.#deps;
    const { name } = watched.config;
    if (newsOf(known.record.state) === known.record.told) return;
    let current: KnownHeartbeat | undefined = known;
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      // It is not configured any more, which has been told.
      if (!current) return;
      const { state } = current.record;
      await alerts.receive([this.#signal(watched, state, attention)]);
      logger.info({ heartbeat: name, down: state.down?.reason ?? false }, "heartbeat");
      if (await heartbeatStates.replace(name, current, { state, told: newsOf(state) })) return;
      // What somebody else has told meanwhile may have been overtaken by this: the newest has to be the last.
      current = await heartbeatStates.read(name);
    }
    throw new AppError("conflict", `heartbeat ${name} changes too fast`, { permanent: false });
  }

  #signal({ config, rule }: Watched, state: HeartbeatState, attention: Attention): Signal {
    const { name, severity, labels } = config;
    const common = {
      source: "heartbeat",
      fingerprint: name,
      severity,
      labels: { ...labels, heartbeat: name },
      repeats: false,
    };
    const { down } = state;
    if (!down) {
      // A report of before that arrives later is known by this to be older.
      const ended = state.lastSuccess === undefined ? {} : { endsAt: new Date(state.lastSuccess).toISOString() };
      return { ...common, status: "resolved", title: name, text: describeBack(state), ...ended };
    }
    const startsAt = new Date(down.since).toISOString();
    return {
      ...common,
      status: "firing",
      startsAt,
      ...describeDown(name, rule, state, down, attention, this.#deps.config),
    };
  }

  /** Nobody waits for it any more. A bot with an older configuration must not make others forget a new one at once. */
  async #forget(name: string, known: KnownHeartbeat, now: Date): Promise<void> {
    const { heartbeatStates, alerts } = this.#deps;
    const { unknownSince } = known.record;
    if (unknownSince === undefined || unknownSince > now.getTime()) {
      await heartbeatStates.replace(name, known, { ...known.record, unknownSince: now.getTime() });
      return;
    }
    if (now.getTime() - unknownSince < forgetAfterMs) return;
    if (known.record.told !== "")
      await alerts.receive([
        {
          source: "heartbeat",
          fingerprint: name,
          status: "resolved",
          severity: "info",
          title: name,
          text: { key: "heartbeat-gone" },
          labels: {},
          repeats: false,
        },
      ]);
    await heartbeatStates.forget(name);
  }
}
