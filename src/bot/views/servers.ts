import type { ManagedDatabase } from "../../core/managed.ts";
import { databaseKey } from "../../services/servers/inventory.ts";
import { chartState } from "./chart.ts";
import { digestOf } from "./pages.ts";
import type { PowerChoice } from "./power.ts";
import { accountPage, bucketsPage, domainsPage } from "./servers-account.ts";
import { databasePage, databasesPage } from "./servers-databases.ts";
import { serversList } from "./servers-list.ts";
import { serverPage } from "./servers-one.ts";
import { accountParts, type ServersState, type ServersViewDeps, shownServers } from "./servers-state.ts";
import type { ViewContext, ViewKind, ViewPress } from "./types.ts";

/** Refresh has a provider asked again whose last answer is older; milliseconds. */
const askAgainMs = 10_000;
const lifeMs = 24 * 3_600_000;
/** Of more servers nobody looks once a second whether one of them is doing something else. */
const mostFollowed = 200;

/** /servers: what is known of the servers and of the accounts that they belong to. */
export function serversView(deps: ServersViewDeps): ViewKind<ServersState> {
  return {
    kind: "servers",
    role: "viewer",
    lifeMs,
    command: "/servers",
    render: async (state, context) => {
      const { server, account, part, database } = state;
      if (server !== undefined && shownServers(deps, {}).some(({ name }) => name === server))
        return await serverPage(server, context, deps);
      if (account === undefined || !Object.hasOwn(deps.config.providers, account))
        return await serversList(state, context, deps);
      if (part === "databases" && database !== undefined)
        return await databasePage({ account, database }, context, deps);
      const page = { account, page: state.partPage };
      if (part === "databases") return await databasesPage(page, context, deps);
      if (part === "buckets") return await bucketsPage(page, context, deps);
      if (part === "domains") return await domainsPage(page, context, deps);
      return await accountPage(account, context, deps);
    },
    pulse: async (state) => await pulseOf(state, deps),
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

/** Asks the provider for what is about to be shown, where that is not fresh. */
export async function askFor(
  { server, account, part, database }: ServersState,
  { inventoryOrders, config }: Pick<ServersViewDeps, "inventoryOrders" | "config">,
  olderThanMs?: number,
): Promise<void> {
  if (server !== undefined) await inventoryOrders.refresh({ kind: "server", id: server }, olderThanMs);
  else if (account !== undefined && part === "databases" && database !== undefined)
    await inventoryOrders.refresh({ kind: "database", id: databaseKey(account, database) }, olderThanMs);
  // A list of databases and an account are read together.
  if (account !== undefined && Object.hasOwn(config.providers, account))
    await inventoryOrders.refresh({ kind: "account", id: account }, olderThanMs);
}

async function pulseOf(state: ServersState, deps: ServersViewDeps): Promise<string | undefined> {
  const { serverStates, inventoryStates } = deps;
  const { server, account, part, database } = state;
  if (server !== undefined) {
    const known = await serverStates.read(server);
    const stamp = await inventoryStates.stamp("server", server);
    return [stamp, known?.lookedAt.getTime(), known?.status, known?.failure?.kind].join(" ");
  }
  if (account !== undefined) {
    const stamp = await inventoryStates.stamp("account", account);
    if (part !== "databases" || database === undefined) return stamp;
    return `${stamp} ${await inventoryStates.stamp("database", databaseKey(account, database))}`;
  }
  const names = shownServers(deps, state).map(({ name }) => name);
  if (names.length > mostFollowed) return undefined;
  const states = await serverStates.readAll(names);
  return digestOf(names.map((name) => `${states.get(name)?.status} ${states.get(name)?.failure?.kind}`).join("\n"));
}

async function press(
  state: ServersState,
  what: string,
  { messages }: ViewContext,
  deps: ServersViewDeps,
): Promise<ViewPress<ServersState>> {
  const [verb = "", argument = "", more = ""] = what.split("-");
  const { filter, matchers, page } = state;
  const list: ServersState = {
    ...(filter === undefined ? {} : { filter }),
    ...(matchers === undefined ? {} : { matchers }),
    ...(page === undefined ? {} : { page }),
  };
  const outdated: ViewPress<ServersState> = { toast: messages.plain("toast-outdated"), run: async () => state };
  const show = (next: ServersState): ViewPress<ServersState> => ({
    run: async () => {
      await askFor(next, deps);
      return next;
    },
  });
  switch (verb) {
    case "page": {
      const wanted = Number(argument) || 0;
      return {
        run: async () => (state.part === undefined ? { ...list, page: wanted } : { ...state, partPage: wanted }),
      };
    }
    case "list":
      return { run: async () => list };
    case "refresh":
      return {
        run: async () => {
          await askFor(state, deps, askAgainMs);
          return state;
        },
      };
    case "stats": {
      const server = deps.config.servers.find(({ name }) => digestOf(name) === argument)?.name;
      if (server === undefined) return outdated;
      return {
        run: async ({ by, open }) => {
          await open({ kind: "chart", state: await chartState(deps, by.id, server) });
          return undefined;
        },
      };
    }
    case "reboot":
    case "start": {
      const server = deps.config.servers.find(({ name }) => digestOf(name) === argument)?.name;
      if (server === undefined) return outdated;
      const choice: PowerChoice = { command: verb === "start" ? "startserver" : "reboot", server };
      return {
        role: "operator",
        run: async ({ open }) => {
          await open({ kind: "power", state: choice });
          return undefined;
        },
      };
    }
    case "show": {
      const server = deps.config.servers.find(({ name }) => digestOf(name) === argument)?.name;
      return server === undefined ? outdated : show({ ...list, server });
    }
  }
  // Everything that decides is in the button, as it was seen when it was pressed.
  const account = Object.keys(deps.config.providers).find((name) => digestOf(name) === argument);
  if (account === undefined) return outdated;
  const part = accountParts.find((one) => one === verb);
  if (verb === "account") return show({ ...list, account });
  if (part) return show({ ...list, account, part });
  const database = await databaseOf(account, more, deps);
  if (database === "unknown") return { ...outdated, toast: messages.plain("toast-databases-unknown") };
  if (!database) return { ...outdated, toast: messages.plain("toast-database-gone") };
  switch (verb) {
    case "db":
      return show({ ...list, account, part: "databases", database: database.id });
    case "backup":
      return {
        role: "operator",
        toast: messages.plain("toast-database-backup"),
        run: async ({ by, target }) => {
          await deps.managedOrders.backUp({ account, database }, { by, place: target });
          return undefined;
        },
      };
    case "auto":
      return await autoPress(account, database, messages.plain("toast-auto-backups-unknown"), deps);
    default:
      return outdated;
  }
}

/** Where it is not known what databases there are, nobody can say that it is gone. */
async function databaseOf(
  account: string,
  digest: string,
  { inventoryStates }: ServersViewDeps,
): Promise<ManagedDatabase | "unknown" | undefined> {
  const known = (await inventoryStates.read("account", account))?.databases?.known;
  return known === undefined ? "unknown" : known.value.find(({ id }) => digestOf(id) === digest);
}

/** The form begins with the settings as they are known: an order is bound to them. */
async function autoPress(
  account: string,
  { id, name, type }: ManagedDatabase,
  unknown: string,
  { inventoryStates }: ServersViewDeps,
): Promise<ViewPress<ServersState>> {
  const role = "operator";
  const known = (await inventoryStates.read("database", databaseKey(account, id)))?.auto;
  if (!known?.known || known.failed) return { role, toast: unknown };
  const from = known.known.value;
  return {
    role,
    run: async ({ open }) => {
      await open({ kind: "auto-backups", state: { account, database: { id, name, type }, from } });
      return undefined;
    },
  };
}
