import { type PowerAction, powerActions } from "../../core/power.ts";
import type { ServerAction, ServerFacts } from "../../core/server.ts";
import type { TimewebClient } from "../../lib/clients/timeweb.ts";
import { logsSchema } from "../../lib/clients/timeweb-schema.ts";
import type { Power, ServerTarget } from "../types.ts";
import { factsOf } from "./facts.ts";
import type { TimewebServerConfig } from "./schema.ts";
import type { ServerList } from "./server-list.ts";

const idOf = ({ config }: ServerTarget) => (config as TimewebServerConfig).id;

/** The power of an account's servers. */
export class TimewebPower implements Power {
  readonly actions = powerActions;
  readonly #client: TimewebClient;
  readonly #list: ServerList;

  constructor(client: TimewebClient, list: ServerList) {
    this.#client = client;
    this.#list = list;
  }

  async order(server: ServerTarget, action: PowerAction, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.order("POST", `/api/v1/servers/${idOf(server)}/${action}`, undefined, signal);
    } finally {
      // Also when the answer was lost: it may have been carried out.
      this.#list.forget();
    }
  }

  async facts(server: ServerTarget, signal: AbortSignal): Promise<ServerFacts> {
    return factsOf(await this.#list.one(idOf(server), signal, true));
  }

  async actionLog(server: ServerTarget, limit: number, signal: AbortSignal): Promise<readonly ServerAction[]> {
    const path = `/api/v1/servers/${idOf(server)}/logs`;
    const query = { limit, offset: 0, order: "desc" };
    const { data } = await this.#client.get(path, logsSchema, signal, { query, urgent: true });
    return data.server_logs
      .flatMap(({ id, logged_at, event }) => (logged_at ? { id, at: logged_at, event: event ?? "?" } : []))
      .toSorted((a, b) => b.at.getTime() - a.at.getTime())
      .slice(0, limit);
  }
}
