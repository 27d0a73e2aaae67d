import type { Config } from "../../app/config.ts";
import { type Matcher, matchesAll } from "../../core/matchers.ts";
import type { InventoryOrders } from "../../services/servers/inventory.ts";
import type { ManagedOrders } from "../../services/servers/managed-orders.ts";
import type { ChartThemes } from "../../state/chart-themes.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { InventoryStates } from "../../state/inventory.ts";
import type { ServerStates } from "../../state/servers.ts";

export interface ServersViewDeps {
  readonly config: Pick<Config, "servers" | "providers" | "stats" | "timezone">;
  readonly serverStates: Pick<ServerStates, "read" | "readAll">;
  readonly inventoryStates: Pick<InventoryStates, "read" | "readAll" | "stamp">;
  readonly inventoryOrders: Pick<InventoryOrders, "refresh">;
  readonly managedOrders: Pick<ManagedOrders, "backUp">;
  readonly chartThemes: Pick<ChartThemes, "read" | "write">;
  readonly incidents: Pick<Incidents, "openIds" | "each">;
}

/** What of an account has a page of its own. */
export const accountParts = ["databases", "buckets", "domains"] as const;
export type AccountPart = (typeof accountParts)[number];

/** What /servers shows: all of them, one of them, an account, or what it has beside servers. */
export interface ServersState {
  /** Only servers whose name contains it, and whose labels are so. */
  readonly filter?: string;
  readonly matchers?: readonly Matcher[];
  readonly page?: number;
  readonly server?: string;
  readonly account?: string;
  readonly part?: AccountPart;
  readonly partPage?: number;
  /** Id of a managed database. */
  readonly database?: string;
}

/** The servers that a filter leaves. */
export function shownServers(
  { config }: Pick<ServersViewDeps, "config">,
  { filter = "", matchers = [] }: Pick<ServersState, "filter" | "matchers">,
): ServersViewDeps["config"]["servers"] {
  return config.servers.filter(
    ({ name, provider, labels }) =>
      name.toLowerCase().includes(filter) && matchesAll(matchers, { ...labels, provider, server: name }),
  );
}
