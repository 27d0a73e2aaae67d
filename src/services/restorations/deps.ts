import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Leases } from "../../state/leases.ts";
import type { Redis } from "../../state/redis.ts";
import type { RestorationStates } from "../../state/restorations.ts";
import type { Runs } from "../../state/runs.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { Storage } from "../../storages/types.ts";
import type { Approvals } from "../approvals/approvals.ts";
import type { BackupOrders } from "../backup/orders.ts";
import type { PinOrders } from "../backup/pins.ts";
import type { BackupRunner } from "../backup/runner.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";

/** What restores are carried out with. */
export interface RestoreDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly redis: Pick<Redis, "info" | "time">;
  readonly leases: Leases;
  readonly runs: Runs;
  readonly verifications: Verifications;
  readonly restorationStates: RestorationStates;
  readonly approvals: Approvals;
  readonly orders: BackupOrders;
  readonly pinOrders: PinOrders;
  readonly runner: BackupRunner;
  readonly catalogue: Pick<CachedCatalogue, "find" | "copiesOf">;
  storage(name: string): Promise<Storage>;
}
