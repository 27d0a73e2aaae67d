import type { Config } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import { silenceable } from "../../core/incident.ts";
import { formatMatcher } from "../../core/matchers.ts";
import { covers, isActive, type Silence, type Silenceable, silenceFor } from "../../core/silence.ts";
import { turns } from "../../lib/turns.ts";
import { formatCount } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Alerts } from "../../services/alerts/alerts.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { Silences } from "../../state/silences.ts";
import { oneLine } from "../foreign-text.ts";
import { type Reader, timeText, titleLimits, titleOf } from "../incident-text.ts";
import { pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface SilencesViewDeps {
  readonly config: Pick<Config, "timezone">;
  readonly alerts: Alerts;
  readonly incidents: Incidents;
  readonly silences: Silences;
}

/** What /silence shows. */
export interface SilencesState {
  readonly page?: number;
  /** Only this one, which has just begun. */
  readonly only?: string;
}

const pageSize = 5;
const lifeMs = 24 * 3_600_000;

/** /silence: the silences in force, with a button to end each. */
export function silencesView(deps: SilencesViewDeps): ViewKind<SilencesState> {
  return {
    kind: "silences",
    role: "viewer",
    lifeMs,
    command: "/silence",
    render: async (state, context) =>
      state.only === undefined ? await list(state, context, deps) : await single(state.only, context, deps),
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

async function press(
  state: SilencesState,
  what: string,
  { messages, now }: ViewContext,
  deps: SilencesViewDeps,
): Promise<ViewPress<SilencesState>> {
  const [verb = "", ...rest] = what.split("-");
  const argument = rest.join("-");
  if (verb === "page") return { run: async () => ({ page: Number(argument) || 0 }) };
  if (verb !== "end") return { run: async () => state };
  const { alerts, silences } = deps;
  const silence = await silences.read(argument);
  if (!silence || !isActive(silence, now))
    return { toast: messages.plain("toast-silence-over"), run: async () => state };
  return {
    toast: async () => {
      const others = (await silences.all()).filter(({ id }) => id !== silence.id);
      const count = await countOpen((one) => covers(silence, one) && silenceFor(others, one, now) !== undefined, deps);
      if (count === 0) return messages.plain("toast-unsilenced");
      return messages.plain("toast-unsilenced-some", { count, countText: formatCount(count, messages.locale) });
    },
    role: "operator",
    run: async ({ by }) => {
      await alerts.endSilence(silence.id, by);
      return state;
    },
  };
}

async function list(state: SilencesState, context: ViewContext, deps: SilencesViewDeps): Promise<ViewShown> {
  const { messages, now } = context;
  const active = (await deps.silences.all())
    .filter((silence) => isActive(silence, now))
    .toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  const { page, pages, from } = pageOf(state.page, active.length, pageSize);
  const shown = active.slice(from, from + pageSize);
  const silenced = await silencedBy(shown, deps);
  const blocks = shown.map((silence, index) =>
    [
      messages.t("silences-line", { number: formatCount(from + index + 1, messages.locale) }),
      aboutSilence(silence, silenced.get(silence.id) ?? 0, context, deps),
    ].join(" "),
  );
  const title =
    active.length === 0
      ? messages.t("silences-none")
      : messages.t("silences-title", { count: formatCount(active.length, messages.locale) });
  const ends: ViewButton[] = shown.map(({ id }, index) => ({
    what: `end-${id}`,
    label: messages.plain("button-end-silence", { number: String(from + index + 1) }),
  }));
  const rows = [
    ...ends.map((button) => [button]),
    [...pageRow(page, pages, messages), { what: `page-${page}`, label: messages.plain("button-refresh") }],
  ];
  return {
    html: [title, ...blocks, ...(active.length === 0 ? [messages.t("silence-example")] : [])].join("\n\n"),
    rows,
  };
}

async function single(id: string, context: ViewContext, deps: SilencesViewDeps): Promise<ViewShown> {
  const { messages, now } = context;
  const silence = await deps.silences.read(id);
  if (!silence)
    throw new AppError("not-found", `there is no silence ${id}`, { text: { key: "error-silence-unknown" } });
  const count = (await silencedBy([silence], deps)).get(id) ?? 0;
  if (!isActive(silence, now))
    return { html: `🔔 ${messages.t("silence-over")}\n${whatOf(silence, messages)}`, rows: [] };
  return {
    html: `🔕 ${aboutSilence(silence, count, context, deps)}`,
    rows: [[{ what: `end-${id}`, label: messages.plain("button-unsilence") }]],
  };
}

/** How many open incidents each of them keeps quiet now, alone or with others. */
async function silencedBy(silences: readonly Silence[], deps: SilencesViewDeps): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (silences.length === 0) return counts;
  await countOpen((one) => {
    for (const silence of silences) if (covers(silence, one)) counts.set(silence.id, (counts.get(silence.id) ?? 0) + 1);
    return false;
  }, deps);
  return counts;
}

/** How many open incidents are so. */
async function countOpen(isSo: (one: Silenceable) => boolean, { incidents }: SilencesViewDeps): Promise<number> {
  const turn = turns();
  let count = 0;
  for await (const incident of incidents.each(await incidents.openIds())) {
    if (isSo(silenceable(incident))) count += 1;
    await turn();
  }
  return count;
}

/** What it covers, as HTML. */
function whatOf({ matchers, title, identity, hold }: Silence, messages: Messages): string {
  if (hold) return messages.t("silence-hold", { server: oneLine(hold.server, 80) });
  if (matchers.length > 0)
    return messages.t("silence-matchers", { matchers: oneLine(matchers.map(formatMatcher).join(" "), 300) });
  return messages.t("silence-one", { title: titleOf({ title: title ?? identity ?? "" }, messages, titleLimits.list) });
}

function aboutSilence(
  silence: Silence,
  count: number,
  { messages }: ViewContext,
  { config }: SilencesViewDeps,
): string {
  const reader: Reader = { messages, timezone: config.timezone };
  const reason = oneLine(silence.reason ?? "", 200);
  const args = {
    until: timeText(silence.until, reader),
    by: oneLine(silence.by.name, 64),
    reason,
    count,
    countText: formatCount(count, messages.locale),
  };
  return [
    whatOf(silence, messages),
    messages.t(reason === "" ? "silence-until" : "silence-until-because", args),
    messages.t("silence-covers", args),
  ].join("\n");
}
