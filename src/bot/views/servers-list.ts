import { fleetMarks } from "../../core/fleet.ts";
import { formatMatcher } from "../../core/matchers.ts";
import type { ServerState } from "../../core/server-state.ts";
import { formatCount } from "../../messages/format.ts";
import { cut, oneLine } from "../foreign-text.ts";
import { fleetRows } from "./fleet-rows.ts";
import { fleetSigns } from "./fleet-table.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import { type ServersState, type ServersViewDeps, shownServers } from "./servers-state.ts";
import { addressesOf, newestOf, seenWords, statusWords, uptimeWords } from "./servers-words.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const perPage = 8;
const buttonsInRow = 2;
/** As long as one of two labels in a row may be. */
const longestLabel = 18;
/** Of an account's name. */
const longestAccount = 24;

/** All servers, two lines each, the worst first; below them the accounts. */
export async function serversList(
  state: ServersState,
  { messages, now }: ViewContext,
  deps: ServersViewDeps,
): Promise<ViewShown> {
  const { config, serverStates, inventoryStates } = deps;
  const servers = shownServers(deps, state);
  // A mark and the word beside it are of one moment: what somebody has asked for since counts for both.
  const known = async (names: readonly string[]): Promise<Map<string, ServerState>> => {
    const [states, details] = await Promise.all([
      serverStates.readAll(names),
      inventoryStates.readAll("server", names),
    ]);
    return new Map(
      names.flatMap((name) => {
        const state = newestOf(name, states.get(name), details.get(name));
        return state ? [[name, state] as const] : [];
      }),
    );
  };
  const all = await fleetRows(servers, { ...deps, serverStates: { readAll: known } }, now);
  const { page, pages, from } = pageOf(state.page, all.length, perPage);
  const shown = all.slice(from, from + perPage);
  const names = shown.map(({ name }) => name);
  const states = await known(names);
  const configured = new Map(servers.map((server) => [server.name, server]));
  const counts = fleetMarks
    .map((mark) => ({ mark, count: all.filter((one) => one.mark === mark).length }))
    .filter(({ count }) => count > 0)
    .map(({ mark, count }) => `${fleetSigns[mark]} ${formatCount(count, messages.locale)}`)
    .join(" · ");
  const blocks = shown.map((one) => {
    const state = states.get(one.name);
    const server = configured.get(one.name);
    const args = { mark: fleetSigns[one.mark], name: one.name, status: statusWords(state, messages) };
    const more = [
      ...addressesOf(state?.facts, server?.config).slice(0, 1),
      server?.provider ?? "",
      ...uptimeWords(state, now, messages),
      ...(one.incidents > 0 ? [messages.plain("servers-incidents", { count: one.incidents })] : []),
      seenWords(state, now, messages),
    ];
    return `${messages.t("servers-line", args)}\n${messages.t("servers-line-more", { more: oneLine(more.join(" · "), 160) })}`;
  });
  const filter = [state.filter, ...(state.matchers ?? []).map(formatMatcher)].filter(Boolean).join(" ");
  const head = [
    all.length > 0 ? messages.t("servers-title", { counts }) : messages.t(noneKey(config.servers.length)),
    ...(filter === "" ? [] : [messages.t("servers-filter", { filter: oneLine(filter, 80) })]),
  ].join("\n");
  const numbers = { page: formatCount(page + 1, messages.locale), pages: formatCount(pages, messages.locale) };
  const foot = pages > 1 ? [messages.t("backups-page", numbers)] : [];
  const rows: ViewButton[][] = [];
  for (let index = 0; index < shown.length; index += buttonsInRow)
    rows.push(
      shown.slice(index, index + buttonsInRow).map(({ name, mark }) => ({
        what: `show-${digestOf(name)}`,
        label: `${fleetSigns[mark]} ${cut(name, longestLabel)}`,
      })),
    );
  const accounts = Object.keys(config.providers).slice(0, 6);
  for (let index = 0; index < accounts.length; index += buttonsInRow)
    rows.push(
      accounts.slice(index, index + buttonsInRow).map((name) => ({
        what: `account-${digestOf(name)}`,
        label: messages.plain("button-account", { account: cut(name, longestAccount) }),
      })),
    );
  rows.push([...pageRow(page, pages, messages), { what: "refresh", label: messages.plain("button-refresh") }]);
  return { html: [head, ...blocks, ...foot].join("\n\n"), rows };
}

function noneKey(configured: number): string {
  return configured === 0 ? "servers-none" : "servers-none-such";
}
