import type { Config, ServerConfig } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import { factsOf, isWorthShowing, type Reason, reasonsOf, shownOf } from "../../core/rule-reasons.ts";
import { type RuleView, valueIn } from "../../core/rule-series.ts";
import type { OverReason } from "../../core/rule-state.ts";
import type { Signal } from "../../core/signal.ts";
import type { KnownRecord, RecordChange, RuleStates } from "../../state/rule-states.ts";
import type { Alerts } from "../alerts/alerts.ts";
import { type CompiledRule, firingSignal, lookOf, overSignal } from "./rule-signals.ts";

export interface TellingDeps {
  readonly config: Pick<Config, "timezone" | "stats">;
  readonly clock: Clock;
  readonly alerts: Pick<Alerts, "receive">;
  readonly ruleStates: RuleStates;
}

/** A rule at a server of which something is kept. */
export interface Standing {
  readonly rule: CompiledRule;
  readonly server: ServerConfig;
  readonly known: KnownRecord;
}

/** What has to be told, and what is kept once that is done. */
interface Telling {
  readonly signal: Signal;
  readonly change: RecordChange & { readonly known: KnownRecord };
  /** It was not told before that it holds. */
  readonly begins: boolean;
}

/** Whether something has to be told whatever the values are. */
export function isOwed({ rule, server, known: { record } }: Standing): boolean {
  const { state, told } = record;
  if (state.phase === "over") return true;
  return state.phase === "firing" && told?.look !== lookOf(rule, server, state);
}

/**
 * What a standing rule has to say, by what is known of its server; undefined: nothing that was not said already.
 * `isNew`: the values are of a reading that was not looked at before.
 */
export function tellingOf(
  standing: Standing,
  view: RuleView | undefined,
  isNew: boolean,
  config: TellingDeps["config"],
  now: number,
): Telling | undefined {
  const { rule, server, known } = standing;
  const { record } = known;
  const { state, told } = record;
  const owed = isOwed(standing);
  if (state.phase === "pending" || !(owed || isNew)) return undefined;
  const change = { rule: record.rule, server: record.server, known };
  const value = (expression: Parameters<typeof valueIn>[1]): number | undefined => view && valueIn(view, expression);
  if (state.phase === "over") {
    const reasons = rule.clear ? reasonsOf(rule.clear, value) : reasonsOf(rule.when, value, false);
    const signal = overSignal(record, reasons, state, config);
    return { signal, change: { ...change, record: undefined }, begins: false };
  }
  const reasons = shownReasons(rule, value);
  if (!owed && told && (reasons.length === 0 || !isWorthShowing(reasons, told, now))) return undefined;
  return {
    signal: firingSignal(rule, server, reasons, state, config),
    change: {
      ...change,
      record: { ...record, told: { ...shownOf(reasons, now), look: lookOf(rule, server, state) } },
    },
    begins: told === undefined,
  };
}

/** Why it holds. Between its two limits nothing makes it hold any more, and its values are shown all the same. */
function shownReasons({ when }: CompiledRule, value: Parameters<typeof reasonsOf>[1]): readonly Reason[] {
  const reasons = reasonsOf(when, value);
  return reasons.length > 0 ? reasons : factsOf(when, value);
}

/** Ends what there is no rule for any more. What was never told is forgotten. */
export async function endWithoutRule(
  deps: TellingDeps,
  records: readonly { readonly known: KnownRecord; readonly why: OverReason }[],
): Promise<number> {
  const { ruleStates } = deps;
  const changes = records.map(({ known, why }): RecordChange & { readonly known: KnownRecord } => {
    const { record } = known;
    const { state, rule, server } = record;
    if (state.phase === "pending") return { rule, server, known, record: undefined };
    const { at, heardAt, since } = state;
    return { rule, server, known, record: { ...record, state: { phase: "over", at, heardAt, since, why } } };
  });
  const saved = await ruleStates.replace(changes);
  const ended = saved.flatMap((known): Telling[] => {
    if (known?.record.state.phase !== "over") return [];
    const { record } = known;
    const signal = overSignal(record, [], known.record.state, deps.config);
    return [{ signal, change: { rule: record.rule, server: record.server, known, record: undefined }, begins: false }];
  });
  await tell(deps, ended);
  return ended.length;
}

/** Tells, then notes that it was told. */
export async function tell({ alerts, ruleStates, clock }: TellingDeps, tellings: readonly Telling[]): Promise<void> {
  if (tellings.length === 0) return;
  const received = await alerts.receive(tellings.map(({ signal }) => signal));
  const noted = await ruleStates.replace(tellings.map(({ change }) => change));
  if (received.none === undefined) return;
  // A clock that was set back makes a beginning look older than the last end: it counts from now, as all else does.
  for (const [index, { signal, change, begins }] of tellings.entries()) {
    const known = noted[index];
    if (!begins || !known || (await alerts.receive([signal])).none === undefined) continue;
    const { record } = known;
    const since = Math.max(clock.now().getTime(), record.state.since + 1);
    const state = { ...record.state, since };
    const [saved] = await ruleStates.replace([{ ...change, known, record: { ...record, state } }]);
    if (saved) await alerts.receive([{ ...signal, startsAt: new Date(since).toISOString() }]);
  }
}
