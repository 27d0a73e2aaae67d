import type { ServerConfig } from "../../app/config.ts";
import { markOfStand, standOf } from "../../core/fleet.ts";
import type { Incident } from "../../core/incident.ts";
import type { MetricName } from "../../core/metric.ts";
import type { ServerFacts } from "../../core/server.ts";
import { isStale, measuredAt, type ServerState } from "../../core/server-state.ts";
import { severityRank } from "../../core/signal.ts";
import { formatBytes, formatTime } from "../../messages/format.ts";
import { escapeHtml, reasonText } from "../../messages/index.ts";
import { powerActionsOf } from "../../services/power/servers.ts";
import { keptBackups } from "../../services/servers/inventory.ts";
import type { Section, ServerDetails } from "../../state/inventory.ts";
import { oneLine } from "../foreign-text.ts";
import { markOf, titleLimits, titleOf } from "../incident-text.ts";
import { openOfServers } from "./fleet-rows.ts";
import { fleetSigns } from "./fleet-table.ts";
import { digestOf } from "./pages.ts";
import { backupLine, countOf } from "./servers-databases.ts";
import type { ServersViewDeps } from "./servers-state.ts";
import { addressesOf, ageOf, newestOf, type Reading, sectionLines, statusWords, uptimeWords } from "./servers-words.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const most = { incidents: 5, actions: 10, backups: 3, disks: 6, addresses: 6, labels: 8 } as const;

/** One server: how it stands, what it is, what was done to it, its backups at the provider. */
export async function serverPage(name: string, context: ViewContext, deps: ServersViewDeps): Promise<ViewShown> {
  const { config, serverStates, inventoryStates, incidents } = deps;
  const { messages, now } = context;
  const reading = { messages, now, timezone: config.timezone };
  const server = config.servers.find((one) => one.name === name);
  const [polled, details, all] = await Promise.all([
    serverStates.read(name),
    inventoryStates.read("server", name),
    openOfServers(incidents),
  ]);
  const state = newestOf(name, polled, details);
  const own = (all.loud.get(name) ?? []).toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity));
  const mark = markOfStand(standOf(state, config.stats.every, now), state, own);
  const labels = Object.entries(server?.labels ?? {}).slice(0, most.labels);
  const head = [
    messages.t("servers-line", { mark: fleetSigns[mark], name, status: statusWords(state, messages) }),
    ...(labels.length > 0
      ? [
          messages.t("servers-labels", {
            labels: labels.map(([key, value]) => `${key}=${oneLine(value, 40)}`).join(" "),
          }),
        ]
      : []),
    ...stateLines(state, config.stats.every, reading),
  ];
  const blocks = [
    head,
    factLines(state?.facts, server, reading),
    incidentLines(own, all.quiet.get(name) ?? 0, reading),
    ...(details ? detailBlocks(details, reading) : [[messages.t("servers-asking")]]),
  ];
  const rows: ViewButton[][] = [
    [
      { what: `stats-${digestOf(name)}`, label: messages.plain("button-server-stats") },
      ...powerButtons(server, state, messages),
    ],
    [
      { what: "refresh", label: messages.plain("button-refresh") },
      { what: "list", label: messages.plain("button-back") },
    ],
  ];
  return {
    html: blocks
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join("\n"))
      .join("\n\n"),
    rows,
  };
}

/** What is off can be started; what is not, rebooted; what is gone, nothing. */
function powerButtons(
  server: ServerConfig | undefined,
  state: ServerState | undefined,
  messages: Reading["messages"],
): ViewButton[] {
  const actions = server ? powerActionsOf(server) : [];
  const isOff = state?.status === "off";
  if (!server || state?.failure?.kind === "gone" || !actions.includes(isOff ? "start" : "reboot")) return [];
  const label = messages.plain(isOff ? "button-server-start" : "button-server-reboot");
  return [{ what: `${isOff ? "start" : "reboot"}-${digestOf(server.name)}`, label }];
}

/** Of which the newest values are told. */
const shownMetrics = ["cpu", "memory", "disk"] as const satisfies readonly MetricName[];

/** Memory is counted so, wherever it is sold. */
const gibibyte = 2 ** 30;

function stateLines(state: ServerState | undefined, every: number, reading: Reading): string[] {
  const { messages, now, timezone } = reading;
  if (!state) return [messages.t("servers-not-looked")];
  const { failure, reading: newest, bootedAt, lookedAt } = state;
  const at = measuredAt(state);
  const lines: string[] = [];
  const [uptime] = uptimeWords(state, now, messages);
  if (uptime !== undefined && bootedAt)
    lines.push(messages.t("servers-booted", { uptime, at: formatTime(bootedAt, messages.locale, timezone) }));
  if (failure) {
    const since = formatTime(failure.since, messages.locale, timezone);
    const reason = oneLine(reasonText({ message: "", text: failure.reason }, messages), 200);
    lines.push(messages.t("servers-failing", { since, count: failure.count, reason }));
  }
  const values = shownMetrics.flatMap((metric) => {
    const value = newest?.metrics[metric];
    return value === undefined ? [] : [messages.plain(`servers-metric-${metric}`, { percent: Math.round(value) })];
  });
  if (values.length > 0 && at) {
    const args = { values: values.join(" · "), age: ageOf(at, now, messages) };
    lines.push(messages.t(isStale(state, every, now) ? "servers-values-old" : "servers-values", args));
  }
  lines.push(messages.t("servers-looked", { age: ageOf(lookedAt, now, messages) }));
  return lines;
}

function factLines(facts: ServerFacts | undefined, server: ServerConfig | undefined, { messages }: Reading): string[] {
  const { locale } = messages;
  const where = [
    server?.provider ?? "",
    ...(facts?.providerName === undefined || facts.providerName === server?.name
      ? []
      : [`“${oneLine(facts.providerName, 60)}”`]),
    ...(facts?.location === undefined ? [] : [oneLine(facts.location, 30)]),
  ].join(" · ");
  const lines = [messages.t("servers-provider", { where })];
  const machine = [
    ...(facts?.os === undefined ? [] : [oneLine(facts.os, 60)]),
    ...(facts?.cores === undefined ? [] : [messages.plain("servers-cores", { count: facts.cores })]),
    ...(facts?.memory === undefined
      ? []
      : [messages.plain("servers-memory", { size: Math.round((facts.memory / gibibyte) * 10) / 10 })]),
  ];
  if (machine.length > 0) lines.push(escapeHtml(machine.join(" · ")));
  for (const { id, bytes, usedBytes } of (facts?.disks ?? []).slice(0, most.disks)) {
    const size = formatBytes(bytes, locale);
    const args = { disk: oneLine(id, 30), size, used: usedBytes === undefined ? "" : formatBytes(usedBytes, locale) };
    lines.push(messages.t(usedBytes === undefined ? "servers-disk" : "servers-disk-used", args));
  }
  const known = addressesOf(facts, server?.config);
  const addresses = known.slice(0, most.addresses).map((one) => `<code>${escapeHtml(oneLine(one, 64))}</code>`);
  const more = known.length - addresses.length;
  if (addresses.length > 0)
    lines.push(`${messages.t("servers-addresses")} ${addresses.join(", ")}${more > 0 ? ` +${more}` : ""}`);
  return lines;
}

function incidentLines(own: readonly Incident[], quiet: number, { messages }: Reading): string[] {
  const hushed = quiet === 0 ? [] : [messages.t("servers-incidents-quiet", { count: quiet })];
  if (own.length === 0) return quiet === 0 ? [messages.t("servers-no-incidents")] : hushed;
  const lines = own
    .slice(0, most.incidents)
    .map((one) => `${markOf(one)} ${escapeHtml(titleOf(one, messages, titleLimits.list))}`);
  return [messages.t("servers-incidents-title", { count: own.length }), ...lines, ...hushed];
}

function detailBlocks(details: ServerDetails, reading: Reading): string[][] {
  const { messages, timezone } = reading;
  const blocks: string[][] = [];
  const { actions, backups, facts, consoleUrl } = details;
  if (facts?.failed) blocks.push(sectionLines(facts, reading));
  if (actions) {
    const lines = (actions.known?.value ?? []).slice(0, most.actions).map(({ at, event }) => {
      const args = { at: formatTime(at, messages.locale, timezone), event: oneLine(event, 80) };
      return messages.t("servers-action", args);
    });
    const none = actions.known && lines.length === 0 ? [messages.t("servers-nothing")] : [];
    blocks.push([messages.t("servers-actions-title"), ...lines, ...none, ...troubleLines(actions, reading)]);
  }
  if (backups) {
    const lines = (backups.known?.value ?? []).slice(0, most.disks).flatMap(({ disk, isSystem, backups: all }) => [
      messages.t(isSystem ? "servers-disk-backups-system" : "servers-disk-backups", {
        disk,
        count: countOf(all.length, keptBackups.disk, messages),
      }),
      ...all.slice(0, most.backups).map((one) => backupLine(one, reading)),
    ]);
    const none = backups.known && lines.length === 0 ? [messages.t("servers-nothing")] : [];
    const foot = [messages.t("managed-same-provider"), ...troubleLines(backups, reading)];
    blocks.push([messages.t("servers-backups-title"), ...lines, ...none, ...foot]);
  }
  // What is fresh is all of one moment.
  if (facts?.known && !facts.failed) blocks.push(sectionLines(facts, reading));
  if (consoleUrl !== undefined) blocks.push([messages.t("servers-console", { url: consoleUrl })]);
  return blocks;
}

/** Of a part that could not be asked for: of when it is, and why. */
function troubleLines(section: Section<unknown>, reading: Reading): string[] {
  return section.failed ? sectionLines(section, reading) : [];
}
