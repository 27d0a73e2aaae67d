import { AppError } from "../../core/errors.ts";
import type { BackupOrders } from "../../services/backup/orders.ts";
import { type ApprovalCardDeps, approvalCard } from "./approval.ts";
import { backupCard } from "./backup.ts";
import { dailyCard } from "./daily.ts";
import { databaseBackupCard } from "./database-backup.ts";
import { type DrillCardDeps, drillCard } from "./drill.ts";
import { type IncidentCardDeps, incidentCard } from "./incident.ts";
import { noticeCard } from "./notice.ts";
import { type PowerCardDeps, powerCard } from "./power.ts";
import { type PruneCardDeps, pruneCard } from "./prune.ts";
import { type RestorationCardDeps, restorationCard } from "./restoration.ts";
import { type StormCardDeps, stormCard } from "./storm.ts";
import type { CardKind } from "./types.ts";
import { type VerifyCardDeps, verifyCard } from "./verify.ts";

export type CardDeps = { readonly orders: BackupOrders } & IncidentCardDeps &
  StormCardDeps &
  PruneCardDeps &
  VerifyCardDeps &
  DrillCardDeps &
  RestorationCardDeps &
  PowerCardDeps &
  ApprovalCardDeps;

/** Every kind of card there is. */
export function createCardKinds(deps: CardDeps): ReadonlyMap<string, CardKind<unknown>> {
  const kinds = new Map<string, CardKind<unknown>>();
  const all = [
    backupCard(deps),
    noticeCard,
    incidentCard(deps),
    stormCard(deps),
    dailyCard(deps),
    pruneCard(deps),
    verifyCard(deps),
    drillCard(deps),
    restorationCard(deps),
    powerCard(deps),
    approvalCard(deps),
    databaseBackupCard,
  ];
  for (const kind of all as readonly CardKind<never>[]) {
    if (kinds.has(kind.kind)) throw new AppError("internal", `two card kinds are called ${kind.kind}`);
    kinds.set(kind.kind, kind);
  }
  return kinds;
}
