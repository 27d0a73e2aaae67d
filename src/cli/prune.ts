import type { KeepPolicy } from "../core/retention.ts";
import { createLogger } from "../lib/logger.ts";
import { explanationLines, reasonLine } from "../messages/explanation.ts";
import { formatTime } from "../messages/format.ts";
import type { Messages } from "../messages/index.ts";
import { explainHere, namesIn, type PruneHere, pruneHere, requireClear } from "../services/backup/prune-here.ts";
import { policyFor, policyText, type RetentionLook } from "../services/backup/retention.ts";
import { confirmByName } from "./confirm.ts";
import { parseKeep } from "./keep.ts";
import { leaveNote } from "./note.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface PruneOptions extends PlaceOptions {
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** "daily=7,monthly=4", in place of the configured policy. */
  readonly keep?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What is done where it is not configured, as the configuration's default has it. */
const usualAnomaly = { below: 0.5, of: 5 };

interface Decision {
  readonly order: PruneHere;
  readonly look: RetentionLook;
  removed: number;
}

/**
 * `vakhta prune [name]`: removes what the retention does not keep, in this process, and explains every decision. 0: done,
 * or nothing to be done; 1: not everything could be read or removed; 2: wrong usage, or nobody to ask: without `--yes`, and
 * with it where so much would go that a person at a terminal has to agree.
 */
export async function prune(terminal: Terminal, name: string | undefined, options: PruneOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, options);
    own = place.terminal;
    return await pruneIn(place, name, options);
  } catch (error) {
    return reportError(error, own, options);
  }
}

async function pruneIn(place: Place, name: string | undefined, options: PruneOptions): Promise<number> {
  const { terminal } = place;
  const { dryRun = false, yes = false, json = false } = options;
  if (!dryRun && !yes && !terminal.interactive) throw new UsageError("cli-nobody");
  const orders = await ordersOf(place, name, options);
  if (orders.length === 0) throw new UsageError("cli-prune-unknown", { name: name ?? "–" });
  let status: number = exitCodes.ok;
  const decisions: Decision[] = [];
  for (const order of orders) {
    const decision = { order, look: await explainHere(order), removed: 0 };
    decisions.push(decision);
    if (!json) explain(terminal, decision);
    if (decision.look.plan.remove.length === 0) continue;
    try {
      requireClear(order, decision.look);
      if (!dryRun) await carryOut(place, decision, yes);
    } catch (error) {
      if (terminal.signal.aborted || error instanceof UsageError) throw error;
      status = reportError(error, terminal);
    }
  }
  if (json)
    terminal.out(
      JSON.stringify(
        decisions.map((one) => documentOf(one, place)),
        undefined,
        2,
      ),
    );
  return status;
}

/** One for each name and storage. */
async function ordersOf(place: Place, wanted: string | undefined, { keep }: PruneOptions): Promise<PruneHere[]> {
  const { terminal, storages, config, timezone, host } = place;
  const given = keep === undefined ? undefined : parseKeep(keep);
  // What a bare machine would have to guess may be the only copies that are left.
  if (config === undefined && given === undefined) throw new UsageError("cli-prune-keep-missing");
  const shared = { timezone, host, signal: terminal.signal, logger: createLogger({ name: "cli", level: "silent" }) };
  const orders: PruneHere[] = [];
  for (const storage of storages) {
    for (const name of await namesIn(storage, terminal.signal)) {
      if (wanted !== undefined && name !== wanted) continue;
      const backup = config?.backups.find((candidate) => candidate.name === name);
      const configured: KeepPolicy = backup ? policyFor(backup, storage.name) : "all";
      const anomaly = backup ? backup.anomaly : usualAnomaly;
      orders.push({ storage, name, policy: given ?? configured, anomaly, ...shared });
    }
  }
  return orders;
}

async function carryOut(place: Place, decision: Decision, yes: boolean): Promise<void> {
  const { terminal, config } = place;
  const { order, look } = decision;
  // So much at once is only done when a person has read what would go.
  if (!yes || look.plan.needsConsent) {
    if (!terminal.interactive) throw new UsageError("cli-prune-very-much", { name: order.name });
    await confirmByName(terminal, "cli-prune-type", order.name);
  }
  const { takeRedisLease } = await import("./redis-lease.ts");
  await using _lease = config === undefined ? undefined : await takeRedisLease(terminal, config, order.name);
  decision.removed = await pruneHere(order, look.plan.remove);
  if (decision.removed > 0) {
    const { storage, name } = order;
    const removed = decision.removed;
    await leaveNote(place, storage, `${name}/`, {
      action: "prune",
      outcome: "removed",
      removed,
      storage: storage.name,
    });
  }
  terminal.complain("cli-prune-removed", {
    count: decision.removed,
    name: order.name,
    storage: order.storage.name,
  });
}

function explain(terminal: Terminal, { order, look }: Decision): void {
  const { name, storage, policy, timezone } = order;
  const about = { name, storage: storage.name, policy: policyText(policy), timezone };
  for (const line of explanationLines(look.backups, about, terminal.messages)) terminal.out(line);
  terminal.out("");
}

function documentOf({ order, look, removed }: Decision, { terminal, timezone }: Place) {
  const { name, storage, policy } = order;
  return {
    name,
    storage: storage.name,
    policy: policyText(policy),
    removed,
    needsConsent: look.plan.needsConsent,
    unreadable: look.unreadable.map(({ key }) => key),
    backups: look.backups.map(({ folder, id, startedAt, bytes, stays, sound, reasons }) => ({
      id,
      folder,
      startedAt: startedAt.toISOString(),
      bytes,
      stays,
      sound,
      reasons: reasons.map((reason) => ({ ...reason, text: wordsOf(reason, terminal.messages, timezone) })),
    })),
  };
}

function wordsOf(reason: Parameters<typeof reasonLine>[0], messages: Messages, timezone: string): string {
  return reasonLine(reason, (at) => formatTime(at, messages.locale, timezone), messages);
}
