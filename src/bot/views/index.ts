import { AppError } from "../../core/errors.ts";
import { type AlertsViewDeps, alertsView } from "./alerts.ts";
import { type AuditViewDeps, auditView } from "./audit.ts";
import { type AutoBackupsViewDeps, autoBackupsView } from "./auto-backups.ts";
import { type BackupsViewDeps, backupsView } from "./backups.ts";
import { type ChartViewDeps, chartView } from "./chart.ts";
import { type PowerViewDeps, powerView } from "./power.ts";
import { type RestoreKeepViewDeps, restoreKeepView } from "./restore-keep.ts";
import { serversView } from "./servers.ts";
import type { ServersViewDeps } from "./servers-state.ts";
import { type SilenceViewDeps, silenceView } from "./silence.ts";
import { silencesView } from "./silences.ts";
import { type StatsViewDeps, statsView } from "./stats.ts";
import type { ViewKind } from "./types.ts";
import { type VerifyViewDeps, verifyView } from "./verify.ts";

/** Every kind of view there is. */
export function createViewKinds(
  deps: AlertsViewDeps &
    SilenceViewDeps &
    VerifyViewDeps &
    BackupsViewDeps &
    AuditViewDeps &
    RestoreKeepViewDeps &
    StatsViewDeps &
    ChartViewDeps &
    ServersViewDeps &
    AutoBackupsViewDeps &
    PowerViewDeps,
): ReadonlyMap<string, ViewKind<object>> {
  const kinds = new Map<string, ViewKind<object>>();
  // Each is only ever given the states that it has made itself.
  const all = [
    alertsView(deps),
    silencesView(deps),
    silenceView(deps),
    verifyView(deps),
    backupsView(deps),
    auditView(deps),
    restoreKeepView(deps),
    statsView(deps),
    chartView(deps),
    serversView(deps),
    autoBackupsView(deps),
    powerView(deps),
  ] as unknown as readonly ViewKind<object>[];
  for (const kind of all) {
    if (kinds.has(kind.kind)) throw new AppError("internal", `two kinds of views are called ${kind.kind}`);
    kinds.set(kind.kind, kind);
  }
  return kinds;
}
