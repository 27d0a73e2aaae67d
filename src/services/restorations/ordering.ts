import type { Config } from "../../app/config.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { ReplacementMethod } from "../../core/replacement.ts";
import type { Restoration, RestorationPlace } from "../../core/restoration.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { VerificationOrders } from "../backup/verifications.ts";
import { hostOfBackup } from "../places.ts";
import { besideName, restoreChoices } from "./choices.ts";

/** A restore that somebody wants, as the dialog has asked for it. */
export interface RestorationOrder {
  /** Of the backup, in the configuration. */
  readonly name: string;
  /** Id of the run that made it. */
  readonly backup: string;
  readonly place: RestorationPlace;
  /** Of several databases this one. */
  readonly only?: string;
  /** Only a part of it, as the kind names it. */
  readonly pick?: string;
  /** Where `beside`: what it is to be called. Default: as the kind calls it. */
  readonly to?: string;
  readonly method?: ReplacementMethod;
  readonly by: Person;
  /** Where the card is shown. `messageId`: our message that becomes the card. */
  readonly target: ChatTarget & { readonly messageId?: number };
  /** What makes it unique: the same source gives the same restore. Default: random. */
  readonly source?: string;
}

/** What may be different when it is looked at once more. */
export interface LookOptions {
  readonly method?: ReplacementMethod;
  /** What is live is replaced without a backup of it before: it may be too broken for one. */
  readonly before?: "off";
}

interface OrderingDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly verificationOrders: VerificationOrders;
}

/** So long one waits for a worker to look; milliseconds. */
const lookWithinMs = 3_600_000;

/** The entity of a new order. @throws AppError not-found, no-copy or config when there is nothing that could be looked at. */
export async function newRestoration(deps: OrderingDeps, order: RestorationOrder, id: string): Promise<Restoration> {
  const { config, clock, verificationOrders } = deps;
  const { name, backup: run, place, only, pick, method, by, target } = order;
  const settings = config.backups.find((candidate) => candidate.name === name);
  if (!settings) throw unknownName(name);
  const backup = await verificationOrders.backup(name, run);
  if (!backup) throw noCopy(run);
  const choices = await restoreChoices(deps, name, run);
  const offered =
    place === "globals"
      ? choices.globals
        ? ([place] as const)
        : []
      : pick === undefined
        ? choices.places
        : choices.pickPlaces;
  if (!offered.some((one) => one === place)) throw impossible(place, choices.reason);
  const to = place === "beside" ? (order.to ?? besideName(deps, name, given({ only, pick }))) : undefined;
  const now = clock.now();
  const { messageId: _, ...chat } = target;
  return {
    id,
    name,
    kind: settings.source.kind,
    backup: run,
    folder: backup.folder,
    backupAt: backup.manifest.startedAt,
    place,
    ...given({ manifestSha256: backup.manifestSha256, only, pick, to, method, host: hostOfBackup(config, name) }),
    ...(settings.restore.backup === "off" && place !== "globals" ? { before: "off" } : {}),
    requestedBy: by,
    chat,
    status: "looking",
    phase: "waiting",
    createdAt: now.toISOString(),
    expiresAt: lookUntil(now),
    attempt: 0,
    fence: 0,
  };
}

/** As it was asked for, with nothing of what an earlier attempt has found. */
export function lookingAgain(current: Restoration, { method, before }: LookOptions, now: Date): Restoration {
  const { id, name, kind, backup, folder, backupAt, place, only, pick, to, requestedBy, chat, host, fence } = current;
  return {
    id,
    name,
    kind,
    backup,
    folder,
    backupAt,
    place,
    ...given({
      manifestSha256: current.manifestSha256,
      only,
      pick,
      to,
      host,
      method: method ?? current.method,
      before: before ?? current.before,
      programError: current.programError,
      programs: current.programs,
    }),
    requestedBy,
    chat,
    status: "looking",
    phase: "waiting",
    createdAt: current.createdAt,
    expiresAt: lookUntil(now),
    attempt: 0,
    looks: (current.looks ?? 0) + 1,
    fence,
  };
}

/** What an approval of it is bound to, beside the target. */
export function argsOf({ id, name, backup, place, only, pick, to, method, before }: Restoration) {
  return { restoration: id, name, backup, place, ...given({ only, pick, to, method, before }) };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Of these values those that there are. */
export function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

function lookUntil(now: Date): string {
  return new Date(now.getTime() + lookWithinMs).toISOString();
}

function noCopy(backup: string): AppError {
  const text = { key: "error-verify-no-copy", args: { backup } };
  return new AppError("no-copy", `no configured storage holds a copy of ${backup}`, { text });
}

function unknownName(name: string): AppError {
  const text = { key: "error-backup-unknown", args: { name } };
  return new AppError("not-found", `no backup is called ${name}`, { context: { name }, text });
}

function impossible(place: RestorationPlace, reason: Text | undefined): AppError {
  const text = reason ?? { key: "error-restoration-place" };
  return new AppError("config", `this backup can not be restored ${place}`, { text });
}
