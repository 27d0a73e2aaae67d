import type { FleetMark, FleetStand } from "../../core/fleet.ts";
import type { Incident } from "../../core/incident.ts";
import { measuredAt, type ServerState } from "../../core/server-state.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { percentOf } from "../charts/model.ts";
import { oneLine } from "../foreign-text.ts";
import { lastedMs, markOf, titleOf } from "../incident-text.ts";
import { fleetSigns, standWords, wholeMinutes } from "./fleet-table.ts";
import type { ViewContext } from "./types.ts";

const mostTitles = 3;
const mostBoots = 3;

interface Caption {
  readonly name: string;
  readonly mark: FleetMark;
  readonly stand: FleetStand;
  readonly known: ServerState | undefined;
  readonly open: readonly Incident[];
  readonly boots: readonly number[];
}

/** How a server stands now: in words, below its picture. */
export function captionLines(
  { name, mark, stand, known, open, boots }: Caption,
  { messages, now }: ViewContext,
  timezone: string,
): string[] {
  const { locale } = messages;
  const isOn = stand.kind === "on";
  const word = isOn ? messages.plain(`stats-status-${stand.status}`) : standWords(stand, messages, now);
  const up = isOn ? upWords(known, messages, now) : [];
  const head = [messages.t("stats-caption", { mark: fleetSigns[mark], name: oneLine(name, 64) }), word, ...up];
  const values = isOn ? valueWords(stand, messages) : [];
  const reason =
    !isOn && known?.failure ? [oneLine(messages.plain(known.failure.reason.key, known.failure.reason.args), 200)] : [];
  const at = known && measuredAt(known);
  const age = at && formatDuration(wholeMinutes(now.getTime() - at.getTime()), locale);
  const time = formatTime(now, locale, timezone);
  const titles = open.slice(0, mostTitles).map((incident) =>
    messages.t("stats-incident", {
      mark: markOf(incident),
      title: titleOf(incident, messages, 80),
      lasted: formatDuration(wholeMinutes(lastedMs(incident, now)), locale),
    }),
  );
  const more = open.length - titles.length;
  const starts = boots.slice(-mostBoots).map((boot) => formatTime(new Date(boot), locale, timezone));
  return [
    head.join(" · "),
    ...(values.length === 0 ? [] : [values.join(" · ")]),
    ...reason.map((text) => messages.t("stats-reason", { text })),
    ...titles,
    ...(more > 0 ? [messages.t("list-more", { count: formatCount(more, locale) })] : []),
    ...(starts.length === 0 ? [] : [messages.t("stats-boots", { times: starts.join(", ") })]),
    age === undefined ? messages.t("stats-at", { at: time }) : messages.t("stats-measured", { at: time, age }),
  ];
}

function upWords(known: ServerState | undefined, messages: Messages, now: Date): string[] {
  if (!known?.bootedAt) return [];
  const ms = now.getTime() - known.bootedAt.getTime();
  return ms <= 0 ? [] : [messages.t("stats-up", { up: formatDuration(wholeMinutes(ms), messages.locale) })];
}

function valueWords({ metrics }: FleetStand & { readonly kind: "on" }, messages: Messages): string[] {
  const { locale } = messages;
  const percents = (["cpu", "memory", "disk"] as const).flatMap((metric) => {
    const value = metrics[metric];
    if (value === undefined) return [];
    const free = metric === "disk" ? metrics.disk_free : undefined;
    const text = messages.t(`stats-value-${metric}`, { value: percentOf(value, messages) });
    return [free === undefined ? text : `${text} (${messages.t("stats-free", { free: formatBytes(free, locale) })})`];
  });
  const load = metrics.load ?? metrics.load_per_core;
  if (load === undefined) return percents;
  const value = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(load);
  return [...percents, messages.t("stats-value-load", { value })];
}
