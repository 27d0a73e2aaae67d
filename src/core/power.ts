import type { Identity } from "./approval.ts";
import type { ChatTarget } from "./card.ts";
import type { Person } from "./run.ts";
import type { ServerAction, ServerStatus } from "./server.ts";
import type { Severity } from "./signal.ts";
import type { Text } from "./text.ts";

/** What can be asked of a server's power. `hard`: as if the plug were pulled. */
export const powerActions = ["start", "shutdown", "reboot", "hard-reboot", "hard-shutdown"] as const;
export type PowerAction = (typeof powerActions)[number];

/** What is in memory and not written is lost with it: its server's name has to be typed. */
export function isHard(action: PowerAction): boolean {
  return action === "hard-reboot" || action === "hard-shutdown";
}

/** Whether the server is to be on when all of it is over. */
export function endsOn(action: PowerAction): boolean {
  return action === "start" || action === "reboot" || action === "hard-reboot";
}

/**
 * Where an order is in its life. `looking`: a worker looks at the server; `ready`: who has asked has to confirm it;
 * `asked`: approvals are missing; `ordering`: it is being asked of the provider, once; `following`: the provider has it,
 * and the server is watched; `late`: the same, and it should be over by now. `unclear`: nobody can tell whether the
 * provider has it, and the server is watched for signs of it; `unknown`: there were none, and it is not known to this day.
 * `refused`: it makes no sense as the server is; `failed`: the provider has not done it; `lost`: given up watching.
 */
export type PowerStatus =
  | "looking"
  | "refused"
  | "ready"
  | "asked"
  | "ordering"
  | "following"
  | "late"
  | "unclear"
  | "done"
  | "failed"
  | "unknown"
  | "lost"
  | "cancelled"
  | "expired";

/** What is seen of a server on its way, in its order. */
export const powerStages = ["ordered", "going-down", "down", "booting", "answering", "green"] as const;
export type PowerStage = (typeof powerStages)[number];

/** What an order goes through when all is well. */
export function stagesOf(action: PowerAction): readonly PowerStage[] {
  if (action === "start") return ["ordered", "booting", "answering", "green"];
  return endsOn(action) ? powerStages : ["ordered", "going-down", "down"];
}

/** Something that runs on a server, or reads or writes there. */
export interface PowerWork {
  readonly kind: "backup" | "upload" | "verify" | "restore";
  readonly name: string;
}

/** Who is connected to a database server on it, as the source of a backup tells; `error`: it cannot be told. */
export interface PowerClients {
  readonly backup: string;
  readonly total?: number;
  /** The largest first. */
  readonly groups?: readonly {
    readonly user: string;
    readonly application: string;
    readonly database: string;
    readonly count: number;
  }[];
  readonly error?: PowerError;
}

/** What was found of a server before anything was ordered. Times are ISO 8601. */
export interface PowerLook {
  readonly at: string;
  readonly status: ServerStatus;
  /** The provider's own word. */
  readonly statusWord?: string;
  readonly providerName?: string;
  readonly addresses: readonly string[];
  /** What the approval is bound to. */
  readonly identity: Identity;
  /** Newest line of the action log; "" when it is empty, absent when it could not be read. */
  readonly logId?: string;
  /** The last time that it was started, by Vakhta's own orders, the system itself or the action log. */
  readonly lastReboot?: { readonly at: string; readonly by: string };
  readonly work: readonly PowerWork[];
  /** Processes of Vakhta that are on it: "worker", "bot". */
  readonly processes: readonly string[];
  /** The only worker that is alive runs on it: nobody could follow. */
  readonly isOnlyWorker: boolean;
  /** Names of backups whose data or worker is on it. */
  readonly backups: readonly string[];
  /** Of each database server on it that the source of a backup can ask. */
  readonly clients?: readonly PowerClients[];
  /** The worst open incidents of it, and how many there are. */
  readonly incidents: readonly { readonly title: string | Text; readonly severity: Severity }[];
  readonly incidentCount: number;
}

/** Recorded before the provider is asked: what a later look is compared with. */
export interface PowerIntent {
  readonly at: string;
  readonly status: ServerStatus;
  /** As `PowerLook.logId`. */
  readonly logId?: string;
  /** How often the provider was asked: again only after it was certain that it had not done it. */
  readonly tries: number;
}

/** An error as it is kept and shown. */
export interface PowerError {
  readonly code: string;
  readonly message: string;
  readonly text?: Text;
}

/** Why a server is not back in time. `api`: its provider cannot be asked; `running`: it answers, and was never rebooted. */
export type LateCause = "api" | "off" | "stuck" | "silent" | "on" | "running";

/** An order about a server's power, from the question to what came of it: the entity behind its card. Times are ISO 8601. */
export interface PowerOrder {
  readonly id: string;
  /** Its name in the configuration. */
  readonly server: string;
  readonly action: PowerAction;
  /** `recovery`: the program itself has found it unresponsive. */
  readonly trigger: "chat" | "recovery";
  /** Why the program wants it: a sign each. */
  readonly why?: readonly Text[];
  /** Nobody has to agree: the configuration says so. */
  readonly standing?: boolean;
  /** Undefined: the program itself. */
  readonly requestedBy?: Person;
  readonly chat?: ChatTarget;
  readonly status: PowerStatus;
  readonly createdAt: string;
  /** When it ends by itself unless the next step is taken before. */
  readonly expiresAt?: string;
  /** How long it may be confirmed; milliseconds. Default: as the policy says. */
  readonly waitMs?: number;
  /** How often it was looked at anew. */
  readonly looks: number;
  readonly look?: PowerLook;
  /** Id of its approval. */
  readonly approval?: string;
  /** Token of the lease: what a worker that was taken over still writes is refused. */
  readonly fence: number;
  readonly intent?: PowerIntent;
  /** When each was seen first. */
  readonly stages: Readonly<Partial<Record<PowerStage, string>>>;
  /** When it was last seen not to be on, since it was ordered. */
  readonly awayAt?: string;
  /** How it was seen last. */
  readonly seen?: { readonly at: string; readonly status?: ServerStatus };
  /** Since when its provider cannot be asked. */
  readonly blindSince?: string;
  readonly blindText?: Text;
  /** From here on it is late. */
  readonly backBy?: string;
  readonly late?: { readonly at: string; readonly cause: LateCause };
  /** Of its incidents so many were open when they were counted last. */
  readonly alerts?: number;
  readonly error?: PowerError;
  readonly consoleUrl?: string;
  readonly finishedAt?: string;
  /** The order that was made in its place. */
  readonly next?: string;
}

const open: ReadonlySet<PowerStatus> = new Set([
  "looking",
  "ready",
  "asked",
  "ordering",
  "following",
  "late",
  "unclear",
]);

/** True when nothing more happens to it. */
export function isOver({ status }: Pick<PowerOrder, "status">): boolean {
  return !open.has(status);
}

/** True while a worker looks after it between two steps. */
export function isFollowed({ status }: Pick<PowerOrder, "status">): boolean {
  return status === "following" || status === "late" || status === "unclear";
}

/** True while nothing was asked of the provider: it can be taken back. */
export function isUndecided({ status }: Pick<PowerOrder, "status">): boolean {
  return status === "looking" || status === "ready" || status === "asked";
}

/** True while another order for the same server must wait. */
export function blocksOthers({ status }: Pick<PowerOrder, "status">): boolean {
  return status === "ordering" || status === "following" || status === "unclear";
}

/** Why an order makes no sense for a server as it is; undefined: it does. */
export function obstacleOf(action: PowerAction, status: ServerStatus): Text | undefined {
  if (status === "removed") return { key: "power-obstacle-removed" };
  if (status === "blocked") return { key: "power-obstacle-blocked" };
  if (status === "busy") return { key: "power-obstacle-busy" };
  if (action === "start") {
    if (status === "on" || status === "starting" || status === "rebooting") return { key: "power-obstacle-on" };
    return status === "stopping" ? { key: "power-obstacle-moving" } : undefined;
  }
  if (status === "off") return { key: endsOn(action) ? "power-obstacle-off-start" : "power-obstacle-off" };
  // What hangs on its way can still be pulled.
  if (isHard(action)) return undefined;
  if (status === "stopping" || status === "starting" || status === "rebooting") return { key: "power-obstacle-moving" };
  return undefined;
}

const powerWords =
  /\b(?:re-?boot|restart|reset|start|stop|shut-?down|power|turn(?:ed|ing)?[ _-]?o(?:n|ff)|switch(?:ed)?[ _-]?o(?:n|ff))|перезагру|перезапу|запу(?:ск|щ)|включ|выключ|останов|сброс|питани/i;

/** Something of the server is reset, started or restored, and the server is not: its password, a backup of its disk. */
const otherWords = /passw|парол|backup|бэкап|бекап|резервн|snapshot|снимок|снапшот/i;

/** Whether a line of the action log speaks of power, whoever has written it. */
export function isPowerEvent({ event }: Pick<ServerAction, "event">): boolean {
  return powerWords.test(event.replaceAll("_", " ")) && !otherWords.test(event);
}

/** The newest line about power; "" when there is none. */
export function newestPowerEvent(log: readonly ServerAction[]): string {
  return log.find(isPowerEvent)?.id ?? "";
}
