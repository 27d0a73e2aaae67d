import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Signal } from "../../core/signal.ts";
import type { Logger } from "../../lib/logger.ts";
import type { OpenFinding, WatchState } from "../../state/watch.ts";
import type { Alerts } from "../alerts/alerts.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

export interface WatchDeps {
  readonly config: Pick<Config, "timezone">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerts: Pick<Alerts, "receive">;
  readonly watchState: WatchState;
}

/** After this long without a look the watch has been away; milliseconds. Looks come every 5 s, ticks every 15 s. */
const gapMs = 45_000;

/**
 * Looks at one thing after the other and reports what has changed: each once when it goes wrong, once when it says
 * something else, once when it is well again. What a person has closed stays closed until then.
 */
export class Watch {
  readonly #name: string;
  readonly #deps: WatchDeps;
  readonly #checks: readonly WatchCheck[];
  readonly #lookedAt = new Map<string, number>();
  readonly #failing = new Set<string>();
  readonly #source: string;

  /** `name`: watches of one name go on with each other's work. `source`: whose signals they are. */
  constructor(name: string, deps: WatchDeps, checks: readonly WatchCheck[], source = "watch") {
    this.#name = name;
    this.#source = source;
    this.#deps = deps;
    this.#checks = checks;
  }

  /** Does every check that is due. One that fails leaves what it found as it is, and stops no other. */
  async step(): Promise<void> {
    const { clock, logger, watchState } = this.#deps;
    const { awakeSince } = await watchState.look(this.#name, gapMs, clock.now());
    for (const check of this.#checks) {
      const now = clock.now();
      if (!this.#isDue(check, now)) continue;
      try {
        await this.#look(check, now, awakeSince);
        if (this.#failing.delete(check.name)) logger.info({ check: check.name }, "a check of the watch works again");
      } catch (error) {
        if (!this.#failing.has(check.name))
          logger.error({ check: check.name, err: error }, "a check of the watch failed");
        this.#failing.add(check.name);
      }
    }
  }

  #isDue({ name, everyMs = 0 }: WatchCheck, now: Date): boolean {
    const since = now.getTime() - (this.#lookedAt.get(name) ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back must not stop it.
    if (since >= 0 && since < everyMs) return false;
    this.#lookedAt.set(name, now.getTime());
    return true;
  }

  async #look(check: WatchCheck, now: Date, awakeSince: Date): Promise<void> {
    const { watchState } = this.#deps;
    const known = await watchState.open<Finding>(check.name);
    const open = new Map([...known].map(([fingerprint, { finding }]) => [fingerprint, finding]));
    const findings = await check.look({ now, awakeSince, open });
    const found = new Set(findings.map(({ fingerprint }) => fingerprint));
    for (const finding of findings) await this.#found(check, finding, known.get(finding.fingerprint), now);
    for (const [fingerprint, over] of known) if (!found.has(fingerprint)) await this.#over(check, over, now);
    await check.reported?.();
  }

  /** Reported before it is remembered: killed in between, it is reported once more, which is heard as the same. */
  async #found(
    check: WatchCheck,
    finding: Finding,
    before: OpenFinding<Finding> | undefined,
    now: Date,
  ): Promise<void> {
    const { alerts, watchState } = this.#deps;
    const plain = JSON.parse(JSON.stringify(finding)) as Finding;
    if (before && JSON.stringify(before.finding) === JSON.stringify(plain)) return;
    let since = before?.since ?? (finding.since ?? now).toISOString();
    const received = await alerts.receive([this.#signal(check, finding, "firing", since)]);
    if (received.none !== undefined) {
      // It was well meanwhile: what was said to be over cannot begin again at the same time.
      since = now.toISOString();
      await alerts.receive([this.#signal(check, finding, "firing", since)]);
    }
    await watchState.remember(check.name, finding.fingerprint, { finding: plain, since });
  }

  async #over(check: WatchCheck, { finding, since }: OpenFinding<Finding>, now: Date): Promise<void> {
    const { alerts, watchState, config } = this.#deps;
    const span = { from: stamp(new Date(since), config.timezone), to: stamp(now, config.timezone) };
    const over: Signal = {
      ...this.#signal(check, finding, "resolved", since),
      text: check.over?.(finding) ?? { key: "watch-over", args: span },
      endsAt: now.toISOString(),
    };
    await alerts.receive([over]);
    await watchState.forget(check.name, finding.fingerprint);
  }

  #signal(
    check: Pick<WatchCheck, "name">,
    { fingerprint, severity, title, text, labels = {} }: Finding,
    status: "firing" | "resolved",
    since: string,
  ): Signal {
    return {
      source: this.#source,
      fingerprint,
      status,
      severity,
      title,
      text,
      labels: { check: check.name, ...labels },
      startsAt: since,
      repeats: false,
    };
  }
}
