import { byMark, serverMark, serverMarks, worstByServer } from "../../core/inventory-mark.ts";
import { formatMatcher } from "../../core/matchers.ts";
import { formatCount } from "../../messages/format.ts";
import { cut, oneLine } from "../foreign-text.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import { type ServersState, type ServersViewDeps, shownServers } from "./servers-state.ts";
import { ageOf, serverMarkSigns, statusWords, uptimeWords } from "./servers-words.ts";
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
  const { config, serverStates, incidents } = deps;
  const servers = shownServers(deps, state);
  const [states, open] = await Promise.all([serverStates.readAll(servers.map(({ name }) => name)), incidents.open()]);
  const worst = worstByServer(open);
  const all = servers
    .map(({ name, provider }) => {
      const known = states.get(name);
      const context = { every: config.stats.every, now, worst: worst.get(name)?.worst };
      return { name, provider, known, incidents: worst.get(name)?.count ?? 0, mark: serverMark(known, context) };
    })
    .toSorted(byMark);
  const { page, pages, from } = pageOf(state.page, all.length, perPage);
  const shown = all.slice(from, from + perPage);
  const counts = serverMarks
    .map((mark) => ({ mark, count: all.filter((one) => one.mark === mark).length }))
    .filter(({ count }) => count > 0)
    .map(({ mark, count }) => `${serverMarkSigns[mark]} ${formatCount(count, messages.locale)}`)
    .join(" · ");
  const blocks = shown.map((one) => {
    const args = { mark: serverMarkSigns[one.mark], name: one.name, status: statusWords(one.known, messages) };
    const more = [
      ...(one.known?.facts?.addresses.slice(0, 1) ?? []),
      one.provider,
      ...uptimeWords(one.known, now, messages),
      ...(one.incidents > 0 ? [messages.plain("servers-incidents", { count: one.incidents })] : []),
      one.known
        ? messages.plain("servers-seen", { age: ageOf(one.known.lookedAt, now, messages) })
        : messages.plain("servers-unseen"),
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
        label: `${serverMarkSigns[mark]} ${cut(name, longestLabel)}`,
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
