import type { Config, RuleConfig, ServerConfig } from "../../app/config.ts";
import type { RuleConditions } from "../../core/rule-check.ts";
import type { Reason } from "../../core/rule-reasons.ts";
import type { RuleState } from "../../core/rule-state.ts";
import { digest, type Signal } from "../../core/signal.ts";
import type { Moment, Text } from "../../core/text.ts";
import type { RuleRecord } from "../../state/rule-states.ts";
import { stamp } from "../stamp.ts";
import { reasonsText } from "./rule-words.ts";

/** A rule of the configuration, understood. */
export interface CompiledRule extends RuleConditions {
  readonly config: RuleConfig;
  /** See `RuleRecord.text`. */
  readonly text: string;
}

/** Their texts need the time zone; what is read every five minutes flaps more slowly than what is looked at all the time. */
type SignalConfig = Pick<Config, "timezone" | "stats">;

type Firing = Extract<RuleState, { phase: "firing" }>;
type Over = Extract<RuleState, { phase: "over" }>;

/** Most reasons that a title, and a text, has. */
const inTitle = 2;
const inText = 6;

/** That a rule holds at a server. `reasons`: empty when nothing is known of it now. */
export function firingSignal(
  { config: rule }: Pick<CompiledRule, "config">,
  server: ServerConfig,
  reasons: readonly Reason[],
  { since, noDataSince }: Firing,
  { timezone, stats }: SignalConfig,
): Signal {
  const { name, severity, when, text: advice = "" } = rule;
  const [first] = reasons;
  const args = { since: at(since, timezone), rule: name, when, advice };
  const beyond = reasons.length > inTitle ? reasonsText(reasons, inText) : "";
  const text: Text = { key: "rule-text", args: { ...args, reasons: beyond } };
  return {
    ...identity(name, server.name, since),
    every: stats.every,
    status: "firing",
    severity,
    title: { key: "rule-title", args: { server: server.name, reasons: first ? reasonsText(reasons, inTitle) : name } },
    text: noDataSince === undefined ? text : { key: "rule-no-data", args: { at: at(noDataSince, timezone), text } },
    labels: {
      ...server.labels,
      server: server.name,
      provider: server.provider,
      rule: name,
      ...(first ? { metric: first.what.metric } : {}),
    },
  };
}

/** That it is over: the text says why, everything else stays as it was told. `reasons`: why it does not hold any more. */
export function overSignal(
  { rule, server }: Pick<RuleRecord, "rule" | "server">,
  reasons: readonly Reason[],
  { since, at: end, why }: Over,
  { timezone, stats }: SignalConfig,
): Signal {
  const span = { from: at(since, timezone), to: at(end, timezone) };
  const kind = why === "cleared" && reasons.length === 0 ? "plain" : why;
  const more = { plain: {}, cleared: { reasons: reasonsText(reasons, inText) }, changed: { rule }, removed: { rule } };
  return {
    ...identity(rule, server, since),
    every: stats.every,
    status: "resolved",
    severity: "warning",
    title: { key: "rule-title", args: { server, reasons: rule } },
    text: { key: `rule-over-${kind}`, args: { ...span, ...more[kind] } },
    labels: { rule, server },
    endsAt: new Date(end).toISOString(),
  };
}

/** The same for all signals about a rule at a server. We look at the rules ourselves: their silence means nothing. */
function identity(
  rule: string,
  server: string,
  since: number,
): Pick<Signal, "source" | "fingerprint" | "startsAt" | "repeats"> {
  return { source: "rule", fingerprint: `${rule}:${server}`, startsAt: new Date(since).toISOString(), repeats: false };
}

function at(ms: number, timezone: string): Moment {
  return stamp(new Date(ms), timezone);
}

/** A digest of everything that is shown but the values. */
export function lookOf({ config }: CompiledRule, server: ServerConfig, { noDataSince = 0 }: Firing): string {
  const { severity, text = "", when } = config;
  return digest(JSON.stringify([severity, text, when, server.labels, server.provider, noDataSince]), 10);
}
