import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import { type Signal, severityRank } from "../core/signal.ts";
import type { Logger } from "../lib/logger.ts";
import type { Refusal, Refusals } from "../state/refusals.ts";
import type { Alerts } from "./alerts/alerts.ts";

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
    const ordered = signals.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity));
    for (let at = 0; at < ordered.length; at += portion) {
      await this.#deps.alerts.receive(ordered.slice(at, at + portion));
      moved();
    }
  }

  /** Notes that somebody was refused. Never rejects; told at once, then at most once a minute. */
  refused(kind: string, address: string): void {
    const now = this.#deps.clock.now().getTime();
    const counted = this.#counted.get(kind);
    this.#counted.set(kind, { count: (counted?.count ?? 0) + 1, since: counted?.since ?? now, at: now, address });
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
          text: { key: "inbound-refused-over", args: { minutes: overAfterMs / 60_000 } },
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
      const { count, since, at, address } = (await refusals.all()).get(kind) ?? counted;
      const time = (ms: number): string =>
        new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: config.timezone }).format(
          ms,
        );
      const key = config.http.token === undefined ? "inbound-refused-no-token" : "inbound-refused-text";
      const args = { hook: kind, count, since: time(since), at: time(at), address };
      await alerts.receive([{ ...aboutKind(kind), status: "firing", text: { key, args } }]);
    } catch (error) {
      logger.warn({ error: String(error), hook: kind }, "that somebody was refused could not be told");
    }
  }
}

function aboutKind(kind: string) {
  return {
    source: "watch",
    fingerprint: `hook-${kind}`,
    severity: "warning",
    title: { key: "inbound-refused", args: { hook: kind } },
    labels: { check: "hooks", hook: kind },
    repeats: false,
  } as const;
}
