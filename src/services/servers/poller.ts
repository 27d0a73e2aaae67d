import type { Config, ServerConfig } from "../../app/config.ts";
import { toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { ServerFacts, ServerStatus } from "../../core/server.ts";
import type { ServerEvent } from "../../core/server-state.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Look, Provider, ServerTarget } from "../../providers/types.ts";
import type { JobContext, JobOutcome, JobPayload } from "../../queue/contracts.ts";
import type { Leases } from "../../state/leases.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import type { Noted, ServerStates } from "../../state/servers.ts";
import type { Alerts } from "../alerts/alerts.ts";

export interface PollerDeps {
  readonly config: Pick<Config, "servers" | "stats">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly leases: Leases;
  readonly serverStates: ServerStates;
  readonly serverHistory: ServerHistory;
  readonly alerts: Pick<Alerts, "receive">;
  readonly powerStates: { seen(server: string, status: ServerStatus, now: Date): Promise<void> };
  provider(name: string): Provider;
}

/** How long a worker that has gone silent keeps its servers from others; milliseconds. */
const leaseMs = 30_000;
/** When others are at work on them, they are looked at again after this long; milliseconds. */
const busyMs = 5000;
/** Longest time for one batch, however long the interval; milliseconds. */
const longestMs = 10 * 60_000;
/** Milliseconds for what a provider says beside measurements. */
const factsMs = 30_000;

/** Looks at the servers of one batch and writes each look down at once: a kill loses only those that were under way. */
export class Poller {
  readonly #deps: PollerDeps;

  constructor(deps: PollerDeps) {
    this.#deps = deps;
  }

  async run(batch: JobPayload<"poll">, { signal }: Pick<JobContext, "signal">): Promise<JobOutcome> {
    const { config, clock, leases, host } = this.#deps;
    const { every } = config.stats;
    const servers = config.servers.filter(({ name, provider }) => {
      return provider === batch.provider && batch.servers.includes(name);
    });
    // Their next turn has come, or this one is of a clock that was wrong: nobody waits for it any more.
    const age = clock.now().getTime() - batch.at;
    if (Math.abs(age) >= every || servers.length === 0) return { done: { late: servers.length } };
    const lease = await leases.tryAcquire(`poll ${batch.turn}`, { ttlMs: leaseMs, holder: `polls on ${host}` });
    if (!lease) return { later: busyMs };
    await using _held = lease;
    const deadline = AbortSignal.timeout(Math.min(longestMs, every * 0.9));
    return { done: await this.#looks(servers, AbortSignal.any([signal, deadline, lease.signal]), signal) };
  }

  async #looks(
    servers: readonly ServerConfig[],
    ends: AbortSignal,
    shutdown: AbortSignal,
  ): Promise<{ readonly looked: number; readonly failed: number; readonly left: number }> {
    const { serverStates, logger } = this.#deps;
    const [first] = servers;
    const provider = this.#deps.provider(first?.provider ?? "");
    const targets = servers.map(({ name, config }): ServerTarget => ({ name, config }));
    const begun = await serverStates.begin();
    const left = new Set(servers.map(({ name }) => name));
    let failed = 0;
    // What cannot be written down of one server must not take the others with it.
    const problems: unknown[] = [];
    const noted = async (name: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        problems.push(error);
        logger.warn({ server: name, error: toAppError(error).message }, "what was found out about a server is lost");
      }
    };
    try {
      for await (const look of provider.looks(targets, ends)) {
        if ("failure" in look) failed += 1;
        await noted(look.name, async () => {
          await this.#note(look, begun);
          left.delete(look.name);
        });
      }
    } catch (error) {
      shutdown.throwIfAborted();
      if (!ends.aborted) throw error;
      logger.warn({ provider: first?.provider, left: [...left], error: String(error) }, "servers were not looked at");
    }
    if (failed < servers.length && !ends.aborted)
      for (const [name, facts] of await this.#facts(provider, targets, ends))
        await noted(name, async () => {
          const now = this.#deps.clock.now();
          await this.#tell(name, await serverStates.noteFacts(name, facts, now, begun), now);
        });
    if (problems.length > 0) throw problems[0];
    return { looked: servers.length - left.size, failed, left: left.size };
  }

  async #note(look: Look, begun: number): Promise<void> {
    const { clock, host, serverStates, serverHistory } = this.#deps;
    const now = clock.now();
    const noted = await serverStates.note({ ...look, host }, now, begun);
    await this.#tell(look.name, noted, now);
    if (!("reading" in look) || Object.keys(look.reading.metrics).length === 0) return;
    await serverHistory.append(look.name, look.reading, now);
    await serverHistory.fold(look.name, now);
  }

  /** What is known beside measurements costs no request of its own where it comes with them. */
  async #facts(
    provider: Provider,
    targets: readonly ServerTarget[],
    ends: AbortSignal,
  ): Promise<ReadonlyMap<string, ServerFacts>> {
    try {
      const facts = await provider.facts?.(targets, AbortSignal.any([ends, AbortSignal.timeout(factsMs)]));
      return facts ?? new Map();
    } catch (error) {
      // What the looks have said counts; these come with the next ones.
      const { message } = toAppError(error);
      this.#deps.logger.debug({ error: message }, "nothing was told of the servers beside measurements");
      return new Map();
    }
  }

  async #tell(name: string, { state, events, isNewest }: Noted, now: Date): Promise<void> {
    if (!isNewest) return;
    if (state.status !== undefined) await this.#deps.powerStates.seen(name, state.status, now);
    for (const { kind, at } of events) this.#deps.logger.info({ server: name, event: kind, at }, "server");
    if (state.untold) await this.#renamed(name, state.untold);
  }

  /** Killed before it is noted as told, it is told once more, which is heard as the same. */
  async #renamed(name: string, event: ServerEvent): Promise<void> {
    const { alerts, config, serverStates } = this.#deps;
    const { at, from = "", to = "" } = event;
    const labels = config.servers.find((server) => server.name === name)?.labels;
    await alerts.receive([
      {
        source: "servers",
        fingerprint: `renamed:${name}:${to}`,
        status: "info",
        severity: "info",
        title: { key: "server-renamed", args: { server: name } },
        text: { key: "server-renamed-text", args: { server: name, from, to } },
        labels: { ...labels, server: name },
        startsAt: at.toISOString(),
      },
    ]);
    await serverStates.told(name, event);
  }
}
