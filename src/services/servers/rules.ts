import type { Config, RuleConfig, ServerConfig } from "../../app/config.ts";
import { dayMs } from "../../core/compact.ts";
import { AppError } from "../../core/errors.ts";
import type { MetricName } from "../../core/metric.ts";
import { windowsOf } from "../../core/rule-ast.ts";
import { type ReadingTimes, readRule } from "../../core/rule-check.ts";
import { isChosen } from "../../core/rule-limits.ts";
import { gapIntervals, type RuleView } from "../../core/rule-series.ts";
import { type OverReason, type RuleState, stepRule } from "../../core/rule-state.ts";
import type { Columns } from "../../core/series.ts";
import type { ServerState } from "../../core/server-state.ts";
import { digest } from "../../core/signal.ts";
import type { Logger } from "../../lib/logger.ts";
import { turns } from "../../lib/turns.ts";
import { type KnownRecord, recordKey } from "../../state/rule-states.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import type { ServerStates } from "../../state/servers.ts";
import type { CompiledRule } from "./rule-signals.ts";
import { endWithoutRule, isOwed, type Standing, type TellingDeps, tell, tellingOf } from "./rule-telling.ts";

export interface RuleRunnerDeps extends TellingDeps {
  readonly config: Pick<Config, "rules" | "servers" | "stats" | "timezone">;
  readonly logger: Logger;
  readonly serverStates: Pick<ServerStates, "readAll">;
  readonly serverHistory: Pick<ServerHistory, "columns">;
}

/**
 * So many servers are looked at, and what becomes of them saved, before the next ones: a kill loses no more. What was
 * read of so few is gone before the collector of a small heap takes it for something that stays.
 */
const atOnce = 25;
/** What was measured may be so old when it comes, or ahead of our clock; milliseconds. */
const lagMs = 15 * 60_000;

/** A server with the rules that are about it. */
interface Watched {
  readonly server: ServerConfig;
  readonly rules: readonly CompiledRule[];
  /** How far back they look at which metric; milliseconds, none of them 0. */
  readonly windows: readonly (readonly [MetricName, number])[];
}

const nothing: Columns = { times: new Float64Array(), values: new Float32Array() };

/** By server. */
type Series = Map<string, Map<MetricName, Columns>>;

/**
 * Looks at the rules of all servers that say something new, and reports what begins and what ends. That something has to
 * be told is on record before it is told, and that it was, afterwards: when a worker is killed in between, the next pass
 * tells it once more, which is heard as the same. Several passes at a time do no harm either: of two changes of a record
 * the first one counts.
 */
export class RuleRunner {
  readonly #deps: RuleRunnerDeps;
  readonly #watched: ReadonlyMap<string, Watched>;
  /** When the reading of each server was taken that this process has looked at last. */
  readonly #seen = new Map<string, number>();

  constructor(deps: RuleRunnerDeps) {
    this.#deps = deps;
    const { rules, servers, stats } = deps.config;
    const compiled = rules.map((rule) => compile(rule, { every: stats.every, raw: stats.keep.raw }));
    const watched = servers.map((server) => {
      const its = compiled.filter(({ config }) => isChosen(config, server));
      const windows = windowsOf(its.flatMap(({ when, clear }) => (clear ? [when, clear] : [when])));
      return [server.name, { server, rules: its, windows: [...windows].filter(([, window]) => window > 0) }] as const;
    });
    this.#watched = new Map(watched);
  }

  /** One pass. Gives how many servers were looked at, and how much was told. */
  async step(): Promise<{ readonly servers: number; readonly told: number }> {
    const { serverStates, ruleStates, logger } = this.#deps;
    const records = await ruleStates.all();
    let told = await this.#sweep(records);
    const names = [...this.#watched].flatMap(([name, { rules }]) => (rules.length > 0 ? name : []));
    const states = await serverStates.readAll(names);
    const held = new Set([...records.values()].map(({ record }) => record.server));
    const due = names.filter((name) => this.#isNew(states.get(name)) || held.has(name));
    // Redis gets the next ones together while these are calculated.
    let coming = this.#read(due.slice(0, atOnce), states);
    for (let start = 0; start < due.length; start += atOnce) {
      const some = await coming;
      const next = due.slice(start + atOnce, start + 2 * atOnce);
      coming = this.#read(next, states);
      // Nobody asks for it when these cannot be told.
      coming.catch(() => undefined);
      told += await this.#look(some, states, records);
    }
    if (told > 0) logger.info({ servers: due.length, told }, "rules had something to say");
    return { servers: due.length, told };
  }

  #isNew(state: ServerState | undefined): boolean {
    const at = state?.reading?.at.getTime();
    return state !== undefined && at !== undefined && this.#seen.get(state.name) !== at;
  }

  /** Ends what has no rule any more: not of this text, or not for this server. Takes it out of `records`. */
  async #sweep(records: Map<string, KnownRecord>): Promise<number> {
    const ended: { readonly known: KnownRecord; readonly why: OverReason }[] = [];
    for (const [key, known] of records) {
      const { rule: name, server, text } = known.record;
      const rule = this.#watched.get(server)?.rules.find(({ config }) => config.name === name);
      if (rule?.text === text) continue;
      records.delete(key);
      ended.push({ known, why: rule ? "changed" : "removed" });
    }
    return await endWithoutRule(this.#deps, ended);
  }

  /** Of those that say something new, with what they have said before. */
  async #read(names: readonly string[], states: ReadonlyMap<string, ServerState>): Promise<Looked> {
    const some = names.flatMap((name) => this.#watched.get(name) ?? []);
    const news = new Set(some.filter(({ server }) => this.#isNew(states.get(server.name))));
    return { some, news, series: await this.#series([...news], this.#deps.clock.now().getTime()) };
  }

  async #look(
    { some, news, series }: Looked,
    states: ReadonlyMap<string, ServerState>,
    records: ReadonlyMap<string, KnownRecord>,
  ): Promise<number> {
    const { config, clock } = this.#deps;
    const { every } = config.stats;
    const now = clock.now().getTime();
    const viewOfServer = ({ name }: ServerConfig): RuleView | undefined =>
      viewOf(states.get(name), series.get(name), every);
    const turn = turns();
    const steps: Step[] = [];
    for (const watched of some) {
      const { server, rules } = watched;
      const view = news.has(watched) ? viewOfServer(server) : undefined;
      for (const rule of rules) {
        const known = records.get(recordKey(rule.config.name, server.name));
        const before = known?.record.state;
        const state = stepRule(rule, { for: rule.config.for ?? 0, every }, view, before, now);
        steps.push({ rule, server, known, state });
      }
      await turn();
    }
    const standing = await this.#save(steps);
    // Of servers that say nothing new, only what is owed needs their values.
    const owing = new Set(standing.filter(isOwed).map(({ server }) => server.name));
    const others = some.filter((watched) => !news.has(watched) && owing.has(watched.server.name));
    for (const [name, its] of await this.#series(others, now)) series.set(name, its);
    const isNew = new Set([...news].map(({ server }) => server.name));
    const tellings = standing.flatMap(
      (one) => tellingOf(one, viewOfServer(one.server), isNew.has(one.server.name), config, now) ?? [],
    );
    await tell(this.#deps, tellings);
    for (const name of isNew) this.#seen.set(name, states.get(name)?.reading?.at.getTime() ?? 0);
    return tellings.length;
  }

  /** Saves what has changed. Gives what is kept now; what somebody else has changed meanwhile is left to them. */
  async #save(steps: readonly Step[]): Promise<Standing[]> {
    const changed = steps.filter(({ state, known }) => state !== known?.record.state);
    const saved = await this.#deps.ruleStates.replace(
      changed.map(({ rule, server, known, state }) => {
        const record = { ...known?.record, rule: rule.config.name, server: server.name, text: rule.text };
        return { rule: record.rule, server: record.server, known, record: state && { ...record, state } };
      }),
    );
    const kept = new Map(changed.map((step, index) => [step, saved[index]]));
    return steps.flatMap((step) => {
      const known = kept.has(step) ? kept.get(step) : step.known;
      return known ? { rule: step.rule, server: step.server, known } : [];
    });
  }

  /** The points that the rules of these servers look back on. */
  async #series(some: readonly Watched[], now: number): Promise<Series> {
    const { serverHistory, config } = this.#deps;
    const series: Series = new Map(some.map(({ server }) => [server.name, new Map()]));
    const beginOf = (window: number): number => now - window * 1.1 - 2 * gapIntervals * config.stats.every - lagMs;
    // Readings lie by days: what goes back to the same one is read together.
    const wanted = some.flatMap(({ server, windows }) =>
      [...Map.groupBy(windows, ([, window]) => Math.floor(beginOf(window) / dayMs)).values()].map((its) => ({
        name: server.name,
        metrics: its.map(([metric]) => metric),
        from: beginOf(Math.max(...its.map(([, window]) => window))),
      })),
    );
    // Servers of the same rules look back in the same way.
    const groups = [...Map.groupBy(wanted, ({ metrics, from }) => `${from} ${metrics.join()}`).values()];
    const answers = groups.map(async (group) => {
      const [first] = group;
      if (!first) return;
      const names = group.map(({ name }) => name);
      const found = await serverHistory.columns(names, first.metrics, new Date(first.from), new Date(now + lagMs));
      for (const [name, its] of found) for (const [metric, columns] of its) series.get(name)?.set(metric, columns);
    });
    await Promise.all(answers);
    return series;
  }
}

/** Servers that are looked at together. */
interface Looked {
  readonly some: readonly Watched[];
  readonly news: ReadonlySet<Watched>;
  /** Of those with something new. */
  readonly series: Series;
}

/** What a reading has made of a rule at a server. */
interface Step {
  readonly rule: CompiledRule;
  readonly server: ServerConfig;
  readonly known: KnownRecord | undefined;
  readonly state: RuleState | undefined;
}

/** What a rule sees of a server; undefined while nothing of it is known. */
function viewOf(
  state: ServerState | undefined,
  series: ReadonlyMap<MetricName, Columns> | undefined,
  every: number,
): RuleView | undefined {
  const reading = state?.reading;
  if (!reading) return undefined;
  const at = reading.at.getTime();
  return {
    at,
    heardAt: (state.goodAt ?? state.lookedAt).getTime(),
    every,
    values: reading.metrics,
    series: (metric) => {
      const points = series?.get(metric) ?? nothing;
      const value = reading.metrics[metric];
      // Killed before it was added to the history.
      const isMissing = value !== undefined && (points.times.at(-1) ?? 0) < at;
      if (!isMissing) return points;
      return { times: Float64Array.of(...points.times, at), values: Float32Array.of(...points.values, value) };
    },
  };
}

/** @throws AppError config for a rule that the configuration should have refused. */
function compile(config: RuleConfig, times: ReadingTimes): CompiledRule {
  const read = readRule(config, times);
  if ("problem" in read) throw new AppError("config", `rule ${config.name} cannot be read at ${read.field}`);
  return { ...read, config, text: digest(JSON.stringify([config.when, config.clear, config.for]), 8) };
}
