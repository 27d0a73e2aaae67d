import { AppError } from "../../core/errors.ts";
import type { BackupOrders } from "../../services/backup/orders.ts";
import { backupCard } from "./backup.ts";
import { noticeCard } from "./notice.ts";
import type { CardKind } from "./types.ts";

/** Every kind of card there is. */
export function createCardKinds(deps: { readonly orders: BackupOrders }): ReadonlyMap<string, CardKind<unknown>> {
  const kinds = new Map<string, CardKind<unknown>>();
  for (const kind of [backupCard(deps), noticeCard] as readonly CardKind<never>[]) {
    if (kinds.has(kind.kind)) throw new AppError("internal", `two card kinds are called ${kind.kind}`);
    kinds.set(kind.kind, kind);
  }
  return kinds;
}
