import { createHash } from "node:crypto";
import type { Config, ServerConfig } from "../../app/config.ts";
import type { Identity } from "../../core/approval.ts";
import { toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { isPowerEvent, newestPowerEvent, obstacleOf, type PowerLook, type PowerOrder } from "../../core/power.ts";
import type { ServerAction, ServerFacts } from "../../core/server.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Power, Provider } from "../../providers/types.ts";
import type { PowerStates } from "../../state/power.ts";
import type { RecoveryStates } from "../../state/recovery.ts";
import type { ServerStates } from "../../state/servers.ts";
import { type ClientsDeps, clientsOn } from "./clients.ts";
import { answersNow } from "./seeing.ts";
import { findServer, requirePower, targetOf } from "./servers.ts";
import { aliasesOf, type SurroundingsDeps, surroundingsOf } from "./surroundings.ts";
import { powerEntry } from "./words.ts";

export interface PowerLookDeps extends SurroundingsDeps, ClientsDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly powerStates: PowerStates;
  readonly serverStates: Pick<ServerStates, "read" | "events">;
  readonly recoveryStates: Pick<RecoveryStates, "turn">;
  /** Opens a provider by its name in the configuration; opened once and shared. */
  readonly provider: (name: string) => Provider;
}

/** So much of the action log is read. */
export const logLines = 50;
/** For all that is asked of the provider in one look; milliseconds. */
const lookMs = 25_000;
const lastRebootMs = 400 * 86_400_000;
/** Why recovery lets a server alone that has come back by itself. */
export const recoveryAnswers = "recovery-obstacle-answers";

/** What the provider says of a server now. */
export interface PowerFacts {
  readonly facts: ServerFacts;
  /** Newest first; undefined: it could not be read. */
  readonly log: readonly ServerAction[] | undefined;
}

/** The hand on a server's power. @throws AppError not-found, conflict */
export function powerFor(
  deps: Pick<PowerLookDeps, "config" | "provider">,
  { server, action }: Pick<PowerOrder, "server" | "action">,
): { readonly server: ServerConfig; readonly power: Power } {
  const found = requirePower(deps.config, server, action);
  const { power } = deps.provider(found.provider);
  if (!power) throw new Error(`provider ${found.provider} says that it has power, and has none`);
  return { server: found, power };
}

/** Asks how the server stands; a log that cannot be read is left out. @throws what the facts do. */
export async function readFacts(power: Power, server: ServerConfig, signal: AbortSignal): Promise<PowerFacts> {
  const target = targetOf(server);
  const facts = await power.facts(target, signal);
  const log = await power.actionLog(target, logLines, signal).catch(() => undefined);
  signal.throwIfAborted();
  return { facts, log };
}

/**
 * By which an approval knows the server: that very one, under the same name, doing what it did, and with no line about
 * power in its action log that was not there. `withLog`: as it was when it was looked at.
 */
export function identityOf(server: ServerConfig, { facts, log }: PowerFacts, withLog = log !== undefined): Identity {
  const config = JSON.stringify([server.provider, server.kind, server.config]);
  const which = createHash("sha256").update(config).digest("hex").slice(0, 16);
  return {
    server: `${server.name} ${which} ${facts.providerName ?? ""}`,
    power: facts.status ?? "unknown",
    ...(withLog ? { state: newestPowerEvent(log ?? []) } : {}),
  };
}

/** Looks at what an order will find, and says on its card what it is. */
export async function lookAt(deps: PowerLookDeps, order: PowerOrder, signal: AbortSignal): Promise<PowerOrder> {
  const { powerStates, clock, logger, config } = deps;
  const { id, looks } = order;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
  let found: Partial<PowerOrder>;
  try {
    const { server, power } = powerFor(deps, order);
    const told = await readFacts(power, server, limited);
    const look = await lookOf(deps, server, told, signal);
    const obstacle = obstacleOf(order.action, look.status) ?? (await standingObstacle(deps, order, look, limited));
    const consoleUrl = power.consoleUrl?.(targetOf(server));
    const until = new Date(clock.now().getTime() + (order.waitMs ?? config.approvals.reboot.expires)).toISOString();
    found = {
      look,
      ...(consoleUrl === undefined ? {} : { consoleUrl }),
      ...(obstacle
        ? { status: "refused", error: { code: "conflict", message: obstacle.key, text: obstacle } }
        : { status: "ready", expiresAt: until }),
    };
  } catch (cause) {
    signal.throwIfAborted();
    const error = toAppError(cause, "provider-unreachable");
    logger.warn({ power: id, server: order.server, error: error.message }, "a server could not be looked at");
    const { code, message, text } = error;
    found = { status: "refused", error: { code, message, ...(text ? { text } : {}) } };
  }
  const now = clock.now();
  const change = (current: PowerOrder): PowerOrder => {
    if (current.status !== "looking" || current.looks !== looks) return current;
    const { expiresAt: _, ...rest } = current;
    return { ...rest, ...found, ...(found.status === "refused" ? { finishedAt: now.toISOString() } : {}) };
  };
  return await powerStates.update(id, "reply", now, change, undefined, (current) =>
    current.status === "refused" ? [powerEntry(current, "obstructed", now, { why: current.error?.code ?? "" })] : [],
  );
}

/** What nobody is asked about is not done where there is any doubt. */
async function standingObstacle(
  deps: Pick<PowerLookDeps, "config" | "clock" | "recoveryStates" | "provider">,
  { standing, id, server: name }: PowerOrder,
  look: PowerLook,
  signal: AbortSignal,
): Promise<Text | undefined> {
  const { config, clock, recoveryStates } = deps;
  const { lastReboot, work, processes, isOnlyWorker } = look;
  const server = findServer(config, name);
  if (!standing || !server) return undefined;
  // Of a worker that was away for so long that another server has got the turn.
  if ((await recoveryStates.turn())?.order !== id) return { key: "recovery-obstacle-turn" };
  if (work.length > 0) return { key: "recovery-obstacle-work" };
  if (isOnlyWorker || processes.length > 0) return { key: "recovery-obstacle-alive" };
  // The polls that have found it silent may be minutes old.
  if (await answersNow(deps, server, aliasesOf(server, look), signal)) return { key: recoveryAnswers };
  const sinceMs = lastReboot ? clock.now().getTime() - Date.parse(lastReboot.at) : Number.POSITIVE_INFINITY;
  return Math.abs(sinceMs) < config.recovery.every ? { key: "recovery-obstacle-recent" } : undefined;
}

async function lookOf(
  deps: PowerLookDeps,
  server: ServerConfig,
  told: PowerFacts,
  signal: AbortSignal,
): Promise<PowerLook> {
  const { facts, log } = told;
  const { providerName, statusWord, addresses } = facts;
  const lastReboot = await lastRebootOf(deps, server.name, log);
  const clients = facts.status === "off" ? [] : await clientsOn(deps, server, facts, signal);
  return {
    at: deps.clock.now().toISOString(),
    status: facts.status ?? "unknown",
    ...(statusWord === undefined ? {} : { statusWord }),
    ...(providerName === undefined ? {} : { providerName }),
    addresses,
    identity: identityOf(server, told),
    ...(log ? { logId: log[0]?.id ?? "" } : {}),
    ...(lastReboot ? { lastReboot } : {}),
    ...(clients.length > 0 ? { clients } : {}),
    ...(await surroundingsOf(deps, server, facts)),
  };
}

/** The newest of what the action log, the system and our own orders tell. */
async function lastRebootOf(
  { powerStates, serverStates, clock }: Pick<PowerLookDeps, "powerStates" | "serverStates" | "clock">,
  name: string,
  log: readonly ServerAction[] | undefined,
): Promise<PowerLook["lastReboot"]> {
  const now = clock.now();
  const known: { readonly at: Date; readonly by: string }[] = [];
  const line = log?.find(isPowerEvent);
  if (line) known.push({ at: line.at, by: line.event });
  const state = await serverStates.read(name);
  if (state?.bootedAt) known.push({ at: state.bootedAt, by: "" });
  const booted = (await serverStates.events(name, new Date(now.getTime() - lastRebootMs), now)).findLast(
    ({ kind }) => kind === "booted",
  );
  if (booted) known.push({ at: booted.at, by: "" });
  const ours = (await powerStates.list(200)).find(
    (order) => order.server === name && order.stages.ordered !== undefined && order.action !== "shutdown",
  );
  if (ours?.stages.ordered !== undefined)
    known.push({ at: new Date(ours.stages.ordered), by: ours.requestedBy?.name ?? "Vakhta" });
  const [newest] = known.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  return newest ? { at: newest.at.toISOString(), by: newest.by } : undefined;
}
