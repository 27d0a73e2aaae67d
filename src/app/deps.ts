import type { Approval } from "../core/approval.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { type Demanded, onDemand } from "../lib/on-demand.ts";
import { Producer } from "../queue/producer.ts";
import { Alerts } from "../services/alerts/alerts.ts";
import { Approvals } from "../services/approvals/approvals.ts";
import { AuditHeads } from "../services/audit/heads.ts";
import { LinkOrders } from "../services/backup/links.ts";
import { BackupOrders } from "../services/backup/orders.ts";
import { PinOrders } from "../services/backup/pins.ts";
import { PruneQuestions } from "../services/backup/prune-questions.ts";
import { VerificationOrders } from "../services/backup/verifications.ts";
import { CachedCatalogue } from "../services/cached-catalogue.ts";
import { DrillOrders } from "../services/drills/orders.ts";
import { Heartbeats } from "../services/heartbeats.ts";
import { Inbound } from "../services/inbound.ts";
import { PowerOrders } from "../services/power/orders.ts";
import type { Recovery } from "../services/recovery/recovery.ts";
import { Restorations } from "../services/restorations/restorations.ts";
import { InventoryOrders } from "../services/servers/inventory.ts";
import { ManagedOrders } from "../services/servers/managed-orders.ts";
import { ApprovalStates } from "../state/approvals.ts";
import { Audit } from "../state/audit.ts";
import { Cards } from "../state/cards.ts";
import { CatalogueCache } from "../state/catalogue.ts";
import { ChartThemes } from "../state/chart-themes.ts";
import { TelegramContact } from "../state/contact.ts";
import { DatabaseBackups } from "../state/database-backups.ts";
import { Dialogs } from "../state/dialogs.ts";
import { Drills } from "../state/drills.ts";
import { HeartbeatStates } from "../state/heartbeats.ts";
import { Incidents } from "../state/incidents.ts";
import { InventoryStates } from "../state/inventory.ts";
import { Languages } from "../state/languages.ts";
import { Leases } from "../state/leases.ts";
import { Links } from "../state/links.ts";
import { Pins } from "../state/pins.ts";
import { PowerStates } from "../state/power.ts";
import { Presences } from "../state/presence.ts";
import { Prunes } from "../state/prunes.ts";
import { RecoveryStates } from "../state/recovery.ts";
import { connectRedis, giveUp, Keys, type Redis } from "../state/redis.ts";
import { Refusals } from "../state/refusals.ts";
import { RestorationStates } from "../state/restorations.ts";
import { RuleStates } from "../state/rule-states.ts";
import { Runs } from "../state/runs.ts";
import { ScheduleState } from "../state/schedule.ts";
import { ServerHistory } from "../state/server-history.ts";
import { ServerStates } from "../state/servers.ts";
import { Silences } from "../state/silences.ts";
import { Storms } from "../state/storms.ts";
import { Strangers } from "../state/strangers.ts";
import { Verifications } from "../state/verifications.ts";
import { Views } from "../state/views.ts";
import { WatchState } from "../state/watch.ts";
import { describeStorage } from "../storages/index.ts";
import type { Config } from "./config.ts";
import { version } from "./version.ts";

/** What every process works with; made once. The worker's own part is in `worker-deps.ts`: the bot never loads it. */
export interface Deps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** This worker's host name, as `host:` in the configuration means it. */
  readonly host: string;
  readonly redis: Redis;
  readonly producer: Producer;
  readonly cards: Cards;
  readonly runs: Runs;
  readonly leases: Leases;
  readonly schedule: ScheduleState;
  /** Of the card of the day. */
  readonly dailySchedule: ScheduleState;
  /** Of what the storages need once a day. */
  readonly upkeepSchedule: ScheduleState;
  readonly catalogueCache: CatalogueCache;
  readonly catalogue: CachedCatalogue;
  readonly verifications: Verifications;
  readonly verificationOrders: VerificationOrders;
  /** Of verifications. */
  readonly verifySchedule: ScheduleState;
  readonly drills: Drills;
  readonly drillOrders: DrillOrders;
  /** Of the drill. */
  readonly drillSchedule: ScheduleState;
  readonly prunes: Prunes;
  readonly pruneQuestions: PruneQuestions;
  readonly pins: Pins;
  readonly pinOrders: PinOrders;
  readonly links: Links;
  readonly linkOrders: LinkOrders;
  readonly approvalStates: ApprovalStates;
  readonly approvals: Approvals;
  readonly restorationStates: RestorationStates;
  readonly restorations: Restorations;
  readonly powerStates: PowerStates;
  readonly powerOrders: PowerOrders;
  readonly recoveryStates: RecoveryStates;
  readonly recovery: Demanded<Recovery>;
  /** What providers tell beside measurements. */
  readonly inventoryStates: InventoryStates;
  readonly inventoryOrders: InventoryOrders;
  readonly databaseBackups: DatabaseBackups;
  readonly managedOrders: ManagedOrders;
  readonly audit: Audit;
  readonly auditHeads: AuditHeads;
  readonly strangers: Strangers;
  readonly watchState: WatchState;
  readonly contact: TelegramContact;
  readonly presences: Presences;
  readonly dialogs: Dialogs;
  readonly views: Views;
  readonly languages: Languages;
  /** Of pictures, per person. */
  readonly chartThemes: ChartThemes;
  readonly orders: BackupOrders;
  readonly incidents: Incidents;
  readonly silences: Silences;
  readonly storms: Storms;
  readonly alerts: Alerts;
  readonly heartbeatStates: HeartbeatStates;
  readonly heartbeats: Heartbeats;
  readonly inbound: Inbound;
  readonly serverStates: ServerStates;
  readonly serverHistory: ServerHistory;
  readonly ruleStates: RuleStates;
}

export interface DepsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Name of the process, as Redis shows it: "bot". */
  readonly role: string;
}

/** Builds everything from the configuration. `close` ends connections in the reverse order. */
export function createDeps(options: DepsOptions): { deps: Deps; close: () => Promise<void> } {
  const { config, logger, clock } = options;
  const redis = connectRedis(config.redis.url, logger, `vakhta-${options.role}`);
  const keys = new Keys(config.redis.prefix);
  const producer = new Producer(redis, config.redis.prefix);
  const cards = new Cards(redis, keys);
  const runs = new Runs(redis, keys, cards);
  const leases = new Leases(redis, keys, logger);
  const orders = new BackupOrders({ config, clock, logger, cards, runs, producer });
  const incidents = new Incidents(redis, keys);
  const silences = new Silences(redis, keys);
  const storms = new Storms(redis, keys);
  const alerts = new Alerts({ config, clock, logger, cards, incidents, silences, storms });
  const catalogueCache = new CatalogueCache(redis, keys);
  const verifications = new Verifications(redis, keys, cards);
  const catalogue = new CachedCatalogue({ config, cache: catalogueCache, verifications });
  const location = (name: string): string => {
    const storage = config.storages[name];
    return storage ? describeStorage(storage) : name;
  };
  const asked = { config, clock, logger, cards, runs, verifications, catalogue, producer, location };
  const verificationOrders = new VerificationOrders(asked);
  const drills = new Drills(redis, keys, cards);
  const prunes = new Prunes(redis, keys, cards);
  const pins = new Pins(redis, keys);
  const links = new Links(redis, keys);
  const audit = new Audit(redis, keys);
  const approvalStates = new ApprovalStates(redis, keys);
  const ended = async (approval: Approval): Promise<void> => {
    await restorations.settle(approval);
    await powerOrders.settle(approval);
  };
  const approvals = new Approvals({ config, clock, logger, cards, approvalStates, producer, ended });
  const restorationStates = new RestorationStates(redis, keys, cards);
  const restorations: Restorations = new Restorations({
    config,
    clock,
    logger,
    cards,
    restorationStates,
    approvals,
    verificationOrders,
    producer,
  });
  const serverStates = new ServerStates(redis, keys);
  const powerStates = new PowerStates(redis, keys, cards);
  const powerOrders: PowerOrders = new PowerOrders({
    config,
    clock,
    logger,
    cards,
    powerStates,
    serverStates,
    approvals,
    producer,
  });
  const heartbeatStates = new HeartbeatStates(redis, keys);
  const inventoryStates = new InventoryStates(redis, keys);
  const databaseBackups = new DatabaseBackups(redis, keys, cards);
  const presences = new Presences(redis, keys);
  const recoveryStates = new RecoveryStates(redis, keys);
  const recovery = onDemand(async () => {
    const { Recovery: Recovering } = await import("../services/recovery/recovery.ts");
    return new Recovering({
      config,
      clock,
      logger,
      presences,
      runs,
      verifications,
      restorationStates,
      incidents,
      silences,
      serverStates,
      powerStates,
      powerOrders,
      recoveryStates,
    });
  });
  const deps: Deps = {
    config,
    clock,
    logger,
    version,
    host: config.worker.host,
    redis,
    producer,
    cards,
    runs,
    leases,
    schedule: new ScheduleState(redis, keys),
    dailySchedule: new ScheduleState(redis, keys, "daily-due"),
    upkeepSchedule: new ScheduleState(redis, keys, "upkeep-due"),
    catalogueCache,
    catalogue,
    verifications,
    verificationOrders,
    verifySchedule: new ScheduleState(redis, keys, "verify-due"),
    drills,
    drillOrders: new DrillOrders({ config, clock, logger, cards, drills, leases, producer }),
    drillSchedule: new ScheduleState(redis, keys, "drill-due"),
    prunes,
    pruneQuestions: new PruneQuestions({ config, clock, logger, cards, prunes, producer }),
    pins,
    pinOrders: new PinOrders({ config, clock, logger, catalogue, pins, producer }),
    links,
    linkOrders: new LinkOrders({ config, clock, logger, links, producer }),
    approvalStates,
    approvals,
    restorationStates,
    restorations,
    powerStates,
    powerOrders,
    recoveryStates,
    recovery,
    inventoryStates,
    inventoryOrders: new InventoryOrders({ config, clock, inventoryStates, databaseBackups, producer }),
    databaseBackups,
    managedOrders: new ManagedOrders({ config, approvals }),
    audit,
    auditHeads: new AuditHeads({ config, clock, audit, producer }),
    strangers: new Strangers(redis, keys),
    watchState: new WatchState(redis, keys),
    contact: new TelegramContact(redis, keys),
    presences,
    dialogs: new Dialogs(redis, keys),
    views: new Views(redis, keys),
    languages: new Languages(redis, keys),
    chartThemes: new ChartThemes(redis, keys),
    orders,
    incidents,
    silences,
    storms,
    alerts,
    heartbeatStates,
    heartbeats: new Heartbeats({ config, clock, logger, heartbeatStates, alerts }),
    serverStates,
    serverHistory: new ServerHistory(redis, keys, config.stats.keep),
    ruleStates: new RuleStates(redis, keys),
    inbound: new Inbound({ config, clock, logger, refusals: new Refusals(redis, keys), alerts }),
  };
  const close = async (): Promise<void> => {
    await producer.close();
    giveUp(redis);
  };
  return { deps, close };
}
