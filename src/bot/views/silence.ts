import type { Config } from "../../app/config.ts";
import { type Incident, isOpen, matchLabels } from "../../core/incident.ts";
import { formatMatcher, type Matcher, matchesAll } from "../../core/matchers.ts";
import type { Person } from "../../core/run.ts";
import { formatCount, formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Alerts } from "../../services/alerts/alerts.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { Silences } from "../../state/silences.ts";
import type { CardKind } from "../cards/types.ts";
import { dialogLifeMs } from "../dialog.ts";
import { oneLine } from "../foreign-text.ts";
import { labelOf, markOf, serverOf, timeText, titleLimits, titleOf } from "../incident-text.ts";
import { silencesView } from "./silences.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface SilenceViewDeps {
  readonly config: Pick<Config, "timezone">;
  readonly alerts: Alerts;
  readonly incidents: Incidents;
  readonly silences: Silences;
  /** The incident's own card says why nothing is done about what is over. */
  readonly kinds: ReadonlyMap<string, CardKind<unknown>>;
}

/** A silence that is to be confirmed as a whole, and why it is asked for at all. */
export interface SilenceProposal {
  readonly matchers: readonly Matcher[];
  readonly durationMs: number;
  readonly reason?: string;
  readonly why: "late" | "everything";
  readonly waitedMs?: number;
}

/** What is asked: how to silence an incident, or whether a silence as it was written is meant. */
export interface SilenceState {
  readonly incident?: string;
  readonly scope?: Scope;
  readonly hours?: number;
  readonly proposal?: SilenceProposal;
  /** The silence that came of it; "" when it was cancelled. */
  readonly done?: string;
}

const scopes = ["one", "name", "server"] as const;
type Scope = (typeof scopes)[number];

const hoursOffered = [0.5, 1, 4, 8, 24, 72];
const hourMs = 3_600_000;

/** The question behind "Choose…" and behind silences that want a second look. Its one effect is one silence. */
export function silenceView(deps: SilenceViewDeps): ViewKind<SilenceState> {
  const lists = silencesView(deps);
  return {
    kind: "silence",
    role: "operator",
    isPersonal: true,
    lifeMs: dialogLifeMs,
    command: "/silence",
    render: async (state, context) => {
      const { messages } = context;
      if (state.done === "") return { html: messages.t("silence-cancelled"), rows: [] };
      if (state.done !== undefined) {
        const { html } = await lists.render({ only: state.done }, context);
        return { html, rows: [] };
      }
      return state.proposal ? await confirm(state.proposal, messages, deps) : await choose(state, context, deps);
    },
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

async function press(
  state: SilenceState,
  what: string,
  context: ViewContext,
  deps: SilenceViewDeps,
): Promise<ViewPress<SilenceState>> {
  const { id, messages, now } = context;
  if (state.done === "") return { toast: messages.plain("toast-dialog-cancelled") };
  if (state.done !== undefined) return { toast: messages.plain("toast-dialog-done") };
  if (what === "cancel") return { run: async () => ({ ...state, done: "" }) };
  // Everything that decides is in the button, as it was seen when it was pressed.
  const [verb, scopeText, hoursText] = what.split("-");
  const scope = scopes.find((candidate) => candidate === scopeText) ?? "one";
  const hours = hoursOffered.find((candidate) => String(candidate * 60) === hoursText);
  if (verb === "set") return { run: async () => ({ ...state, scope, ...(hours === undefined ? {} : { hours }) }) };
  if (verb !== "confirm") return { toast: messages.plain("toast-outdated") };
  const { proposal } = state;
  if (proposal)
    return { run: async ({ by }) => ({ ...state, done: await begin({ by, source: id, ...proposal }, deps) }) };
  const incident = (await deps.incidents.read(state.incident ?? ""))?.incident;
  if (!incident || hours === undefined) return { toast: messages.plain("toast-outdated") };
  // Nothing of it is left to be silenced; what else has its name or its server may still fire.
  if (scope === "one" && !isOpen(incident)) {
    const refused = deps.kinds.get("incident")?.refusal?.(incident, "silence-choose", messages);
    return { toast: refused ?? messages.plain("toast-already-resolved") };
  }
  const { silenced } = incident;
  if (scope === "one" && silenced && Date.parse(silenced.until) >= now.getTime() + hours * hourMs) {
    const until = timeText(silenced.until, { messages, timezone: deps.config.timezone });
    return { toast: messages.plain("toast-silenced-for-longer", { until, by: oneLine(silenced.by.name, 64) }) };
  }
  const covered = coveredBy(incident, scope);
  if (!covered) return { toast: messages.plain("toast-outdated") };
  return {
    run: async ({ by }) => ({
      ...state,
      done: await begin({ by, source: id, durationMs: hours * hourMs, ...covered }, deps),
    }),
  };
}

async function begin(
  order: {
    readonly by: Person;
    readonly source: string;
    readonly durationMs: number;
    readonly reason?: string;
    readonly matchers?: readonly Matcher[];
    readonly incident?: Incident;
  },
  { alerts }: SilenceViewDeps,
): Promise<string> {
  const { by, source, durationMs, reason, matchers, incident } = order;
  const silence = await alerts.silence({
    by,
    durationMs,
    source: `view:${source}`,
    ...(reason === undefined ? {} : { reason }),
    ...(matchers ? { matchers } : {}),
    ...(incident ? { incident } : {}),
  });
  return silence.id;
}

/** What a choice stands for; undefined where the incident has no such label. */
function coveredBy(
  incident: Incident,
  scope: Scope,
): { readonly incident: Incident } | { readonly matchers: readonly Matcher[] } | undefined {
  if (scope === "one") return { incident };
  const name = labelOf(incident.labels, "alertname");
  const server = serverOf(incident);
  const [label, value] = scope === "name" ? ["alertname", name] : [server?.label, server?.value];
  if (label === undefined || value === undefined) return undefined;
  return { matchers: [{ label, operator: "=", value }] };
}

async function choose(
  { incident: id = "", scope = "one", hours }: SilenceState,
  { messages }: ViewContext,
  { incidents }: SilenceViewDeps,
): Promise<ViewShown> {
  const incident = (await incidents.read(id))?.incident;
  if (!incident) return { html: messages.t("alerts-gone"), rows: [] };
  const minutes = (value: number | undefined): string => (value === undefined ? "" : String(value * 60));
  const mark = (chosen: boolean, text: string): string => (chosen ? `✓ ${text}` : text);
  const whats = scopes.filter((candidate) => coveredBy(incident, candidate) !== undefined);
  const rows: ViewButton[][] = whats.map((candidate) => [
    {
      what: `set-${candidate}-${minutes(hours)}`,
      label: mark(candidate === scope, scopeLabel(incident, candidate, messages)),
    },
  ]);
  const durations = hoursOffered.map((offered) => ({
    what: `set-${scope}-${minutes(offered)}`,
    label: mark(offered === hours, formatDuration(offered * hourMs, messages.locale)),
  }));
  rows.push(durations.slice(0, 3), durations.slice(3));
  rows.push([
    ...(hours === undefined
      ? []
      : [
          {
            what: `confirm-${scope}-${minutes(hours)}`,
            label: messages.plain("button-confirm"),
            style: "primary" as const,
          },
        ]),
    { what: "cancel", label: messages.plain("button-cancel") },
  ]);
  const title = titleOf(incident, messages, titleLimits.list);
  const covered = oneLine(scopeLabel(incident, scope, messages), 200);
  const question =
    hours === undefined
      ? messages.t("silence-choose")
      : messages.t("silence-chosen", { what: covered, duration: formatDuration(hours * hourMs, messages.locale) });
  return { html: `${messages.t("incident-title", { mark: markOf(incident), title })}\n\n${question}`, rows };
}

function scopeLabel(incident: Incident, scope: Scope, messages: Messages): string {
  const name = oneLine(labelOf(incident.labels, "alertname") ?? "", 40);
  const server = oneLine(serverOf(incident)?.value ?? "", 40);
  return messages.plain(`silence-scope-${scope}`, { name, server });
}

async function confirm(
  { matchers, durationMs, reason, why, waitedMs = 0 }: SilenceProposal,
  messages: Messages,
  { incidents }: SilenceViewDeps,
): Promise<ViewShown> {
  const open = await incidents.openIds();
  let count = 0;
  for await (const incident of incidents.each(open)) if (matchesAll(matchers, matchLabels(incident))) count += 1;
  const texts = { countText: formatCount(count, messages.locale), open: formatCount(open.length, messages.locale) };
  const duration = formatDuration(durationMs, messages.locale);
  const text = oneLine(matchers.map(formatMatcher).join(" "), 600);
  const lines = [
    messages.t(`silence-ask-${why}`, { waited: formatDuration(waitedMs, messages.locale) }),
    "",
    messages.t("silence-matchers", { matchers: text }),
    messages.t(reason === undefined ? "silence-for" : "silence-for-because", {
      duration,
      reason: oneLine(reason ?? "", 200),
    }),
    messages.t("silence-would-cover", texts),
  ];
  return {
    html: lines.join("\n"),
    rows: [
      [
        { what: "confirm", label: messages.plain("button-confirm"), style: "primary" },
        { what: "cancel", label: messages.plain("button-cancel") },
      ],
    ],
  };
}
