import type { Config, ServerConfig } from "../../app/config.ts";
import { accountFault, type ServerFault, serverFault } from "../../core/server-faults.ts";
import type { ServerState } from "../../core/server-state.ts";
import type { ServerStates } from "../../state/servers.ts";
import type { Finding, WatchCheck } from "../watch/types.ts";

export interface SilenceDeps {
  readonly config: Pick<Config, "servers" | "providers">;
  readonly serverStates: Pick<ServerStates, "readAll">;
  /** What somebody has ordered a server's power to be: one that is off then is as it should be. */
  readonly powerStates: { expected(server: string): Promise<"off" | undefined> };
}

/** Whether something is known of every server: of one that gives no data it is told why, of an account once. */
export function silenceCheck({ config, serverStates, powerStates }: SilenceDeps): WatchCheck {
  const configured = new Set(config.servers.map(({ name }) => `silence:${name}`));
  return {
    name: "silence",
    look: async ({ now, open }) => {
      const states = await serverStates.readAll(config.servers.map(({ name }) => name));
      const found: Finding[] = [];
      for (const [account, servers] of Map.groupBy(config.servers, ({ provider }) => provider)) {
        if (!Object.hasOwn(config.providers, account)) continue;
        const finding = accountFinding(account, servers, states, open, now);
        if (finding) found.push(finding);
      }
      for (const server of config.servers) {
        const state = states.get(server.name);
        const known = open.get(`silence:${server.name}`);
        const finding = state && (await serverFinding(server, state, known, powerStates));
        if (finding) found.push(finding);
      }
      return found;
    },
    over: ({ fingerprint }) =>
      fingerprint.startsWith("silence:") && !configured.has(fingerprint) ? { key: "silence-taken-out" } : undefined,
  };
}

function accountFinding(
  account: string,
  servers: readonly ServerConfig[],
  states: ReadonlyMap<string, ServerState>,
  open: ReadonlyMap<string, Finding>,
  now: Date,
): Finding | undefined {
  const fault = accountFault(
    servers.flatMap(({ name }) => states.get(name) ?? []),
    now,
  );
  if (!fault) return undefined;
  const finding: Finding = {
    fingerprint: `account:${account}`,
    severity: fault.severity,
    title: { key: `silence-account-${fault.kind}`, args: { account, servers: servers.length } },
    text: { key: "silence-account-text", args: { reason: fault.reason } },
    labels: { provider: account },
    since: fault.since,
  };
  return unlessKnown(finding, open.get(finding.fingerprint));
}

async function serverFinding(
  server: ServerConfig,
  state: ServerState,
  known: Finding | undefined,
  powerStates: SilenceDeps["powerStates"],
): Promise<Finding | undefined> {
  const fault = serverFault(state);
  // Nobody can tell now whether it is over: what was found stays.
  if (!fault) return state.failure?.kind === "account" ? known : undefined;
  if (fault.kind === "off" && (await powerStates.expected(server.name)) === "off") return undefined;
  return unlessKnown(findingOf(server, fault), known);
}

function findingOf({ name, labels, provider }: ServerConfig, { kind, severity, reason, since }: ServerFault): Finding {
  return {
    fingerprint: `silence:${name}`,
    severity,
    title: { key: `silence-${kind}`, args: { server: name } },
    text: reason ?? { key: `silence-${kind}-text`, args: { provider } },
    labels: { ...labels, server: name, provider },
    ...(since ? { since } : {}),
  };
}

/** Other words for the same (a timeout this time, a refusal the next) are no news. */
function unlessKnown(finding: Finding, known: Finding | undefined): Finding {
  const sameTitle = JSON.stringify(known?.title) === JSON.stringify(finding.title);
  return known && sameTitle && known.severity === finding.severity ? known : finding;
}
