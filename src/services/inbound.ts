import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import { identityOf, type Signal, severityRank } from "../core/signal.ts";
import type { Moment } from "../core/text.ts";
import type { Logger } from "../lib/logger.ts";
import type { Refusal, Refusals } from "../state/refusals.ts";
import type { Alerts } from "./alerts/alerts.ts";
import { stamp } from "./stamp.ts";

export interface InboundDeps {
  readonly config: Pick<Config, "http" | "timezone">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly refusals: Refusals;
  readonly alerts: Pick<Alerts, "receive">;
}

/** Signals that are applied before somebody looks whether there is still anybody to answer to. */
const portion = 200;
/** Somebody who tries all day is told of so often; milliseconds. */
const tellEveryMs = 60_000;
/** Without another refusal for so long it is over; milliseconds. */
const overAfterMs = 15 * 60_000;

/** What arrives by webhook: signals, and requests that were refused. */
export class Inbound {
  readonly #deps: InboundDeps;
  /** Refusals that are not recorded yet, by kind. */
  readonly #counted = new Map<string, Refusal>();
  readonly #toldAt = new Map<string, number>();

  constructor(deps: InboundDeps) {
    this.#deps = deps;
  }

  /**
   * Persists signals, the most severe first. `moved` is called after each portion; it throws when nobody waits any
   * more, and the rest is left to the sender's next attempt.
   */
  async accept(signals: readonly Signal[], moved: () => void = () => undefined): Promise<void> {
    if (signals.length <= portion) {
      if (signals.length > 0) await this.#deps.alerts.receive(signals);
      return;
    }
    const ordered = mostSevereFirst(signals);
    for (let at = 0; at < ordered.length; at += portion) {
      await this.#deps.alerts.receive(ordered.slice(at, at + portion));
      moved();
    }
  }

  /** Notes that somebody without the right token was refused. Never rejects; told at once, then at most once a minute. */
  refused(hook: string, address: string): void {
    this.#count(hook, { address });
  }

  /** Notes that what somebody has sent is lost, as it can not be read. The same way. */
  unreadable(hook: string, address: string, reason: string): void {
    this.#count(hook + unreadable, { address, reason });
  }

  #count(kind: string, last: Pick<Refusal, "address" | "reason">): void {
    const now = this.#deps.clock.now().getTime();
    const counted = this.#counted.get(kind);
    this.#counted.set(kind, { count: (counted?.count ?? 0) + 1, since: counted?.since ?? now, at: now, ...last });
    if (this.#isDue(kind, now)) void this.#tell(kind, now);
  }

  /** Tells what was counted, and what is over: called every few seconds. */
  async check(): Promise<void> {
    const now = this.#deps.clock.now().getTime();
    for (const kind of this.#counted.keys()) if (this.#isDue(kind, now)) await this.#tell(kind, now);
    for (const [kind, refusal] of await this.#deps.refusals.all()) {
      // A clock that was set back must not keep it open for ever.
      if (Math.abs(now - refusal.at) < overAfterMs) continue;
      await this.#deps.alerts.receive([
        {
          ...aboutKind(kind),
          status: "resolved",
          text: { key: textsOf(kind).over, args: { minutes: overAfterMs / 60_000 } },
        },
      ]);
      await this.#deps.refusals.forget(kind);
    }
  }

  #isDue(kind: string, now: number): boolean {
    const toldAt = this.#toldAt.get(kind);
    return toldAt === undefined || Math.abs(now - toldAt) >= tellEveryMs;
  }

  async #tell(kind: string, now: number): Promise<void> {
    const { refusals, alerts, logger, config } = this.#deps;
    const counted = this.#counted.get(kind);
    if (!counted) return;
    this.#counted.delete(kind);
    this.#toldAt.set(kind, now);
    try {
      await refusals.add(kind, counted);
      const { count, since, at, address, reason = "" } = (await refusals.all()).get(kind) ?? counted;
      const time = (ms: number): Moment => stamp(new Date(ms), config.timezone);
      const isWithoutToken = !kind.endsWith(unreadable) && config.http.token === undefined;
      const key = isWithoutToken ? "inbound-refused-no-token" : textsOf(kind).text;
      const args = { hook: hookOf(kind), count, since: time(since), at: time(at), address, reason };
      await alerts.receive([{ ...aboutKind(kind), status: "firing", text: { key, args } }]);
    } catch (error) {
      logger.warn({ error: String(error), hook: kind }, "that somebody was refused could not be told");
    }
  }
}

/** What is told of one thing stays together and in its order: its end must not come before its beginning. */
function mostSevereFirst(signals: readonly Signal[]): Signal[] {
  const groups = Map.groupBy(signals, identityOf).values();
  const ranked = [...groups].map((group) => ({
    group,
    rank: group.reduce((rank, { severity }) => Math.min(rank, severityRank(severity)), Number.POSITIVE_INFINITY),
  }));
  return ranked.toSorted((a, b) => a.rank - b.rank).flatMap(({ group }) => group);
}

/** What is refused by kind: "<hook>" without the right token, "<hook>-unreadable". */
const unreadable = "-unreadable";

function hookOf(kind: string): string {
  return kind.endsWith(unreadable) ? kind.slice(0, -unreadable.length) : kind;
}

const texts = {
  refused: { title: "inbound-refused", text: "inbound-refused-text", over: "inbound-refused-over" },
  unreadable: { title: "inbound-unreadable", text: "inbound-unreadable-text", over: "inbound-unreadable-over" },
} as const;

function textsOf(kind: string): (typeof texts)[keyof typeof texts] {
  return kind.endsWith(unreadable) ? texts.unreadable : texts.refused;
}

function aboutKind(kind: string) {
  return {
    source: "watch",
    fingerprint: `hook-${kind}`,
    severity: "warning",
    title: { key: textsOf(kind).title, args: { hook: hookOf(kind) } },
    labels: { check: "hooks", hook: hookOf(kind) },
    repeats: false,
  } as const;
}
