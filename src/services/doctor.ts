import type { BackupConfig, Config, StorageConfig, TelegramConfig } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { findProviderKind } from "../providers/index.ts";
import { type Finding, failed, failure, ok, skipped, warning } from "./probes/finding.ts";
import { probeRedis } from "./probes/redis.ts";
import { probeAccount, probeServers, probeWorker } from "./probes/servers.ts";
import { probeEncryption, probeKey, probeSource, probeStorage } from "./probes/stores.ts";
import { probeBot, probeChat, probeClock, probeUpdates } from "./probes/telegram.ts";

export type { Finding } from "./probes/finding.ts";

/** What is looked at; `check-<subject>` is its name in `messages/`. */
export const subjects = [
  "telegram",
  "updates",
  "chat",
  "clock",
  "redis",
  "hooks",
  "source",
  "storage",
  "encryption",
  "key",
  "account",
  "servers",
  "worker",
] as const;
export type Subject = (typeof subjects)[number];

/** One independent look at one thing. */
export interface DoctorCheck {
  readonly subject: Subject;
  /** The name in the configuration, where there can be several. */
  readonly target?: string;
  /** Never rejects by itself; the caller bounds its time. */
  readonly run: (signal: AbortSignal) => Promise<Finding>;
}

export interface DoctorResult extends Finding {
  readonly subject: Subject;
  readonly target?: string;
}

export interface DoctorOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Settings without a value here, as the configuration's loader tells. */
  readonly missing: readonly string[];
}

/** Milliseconds for one check. */
const checkTimeoutMs = 30_000;

/** Everything that can be checked with this configuration. What needs a secret that is not here is skipped and says so. */
export function doctorChecks(options: DoctorOptions): DoctorCheck[] {
  const { config, missing } = options;
  /** The check, unless something below one of these paths has no value here. */
  const needing = (paths: readonly string[], check: DoctorCheck): DoctorCheck => {
    const absent = missing.some((path) => paths.some((needed) => path === needed || path.startsWith(`${needed}.`)));
    return absent ? { ...check, run: () => Promise.resolve(skipped("doctor-no-secret")) } : check;
  };
  const storages = Object.entries(config.storages);
  return [
    ...(config.telegram ? telegramChecks(config.telegram, options.clock, needing) : []),
    needing(["redis"], { subject: "redis", run: () => probeRedis(config.redis.url) }),
    ...hooksChecks(config).map((check) => needing(["http.token"], check)),
    ...config.backups.map((backup, index) => needing([`backups[${index}].source`], sourceCheck(backup, options))),
    ...storages.map(([name, storage]) => needing([`storages.${name}`], storageCheck(name, storage, options))),
    ...encryptionChecks(options, needing),
    ...serverChecks(options, needing),
  ];
}

/** Accounts of providers, servers that are asked themselves, and workers on the hosts that are looked at from there. */
function serverChecks({ config, clock, logger }: DoctorOptions, needing: Needing): DoctorCheck[] {
  const { providers, servers, redis, worker } = config;
  const parts = { clock, logger, host: worker.host };
  const ofProvider = Map.groupBy(servers, ({ provider }) => provider);
  const accounts = Object.entries(providers).map(([target, account]) =>
    needing([`providers.${target}`], {
      subject: "account",
      target,
      run: (signal) => probeAccount(target, account, ofProvider.get(target) ?? [], parts, signal),
    }),
  );
  const free = [...ofProvider].filter(([name]) => !Object.hasOwn(providers, name));
  const asked = free.filter(([kind]) => !findProviderKind(kind)?.onHost);
  const bound = servers.filter(({ kind }) => findProviderKind(kind)?.onHost);
  return [
    ...accounts,
    ...asked.map(([kind, its]) => {
      const paths = its.map((server) => `servers[${servers.indexOf(server)}]`);
      const run = (signal: AbortSignal) => probeServers(kind, its, parts, signal);
      return needing(paths, { subject: "servers", target: kind, run });
    }),
    ...bound.map(({ name, host }) => {
      const run = () => probeWorker(redis, host, clock);
      return needing(["redis"], { subject: "worker", target: host ?? name, run });
    }),
  ];
}

/** Can anybody bring alerts? Nothing is said where nobody seems to want that. */
function hooksChecks({ http, hooks }: Config): DoctorCheck[] {
  const finding = http.token === undefined ? warning("doctor-hooks-closed") : ok("doctor-hooks-ok");
  const isWanted = "token" in http || Object.keys(hooks).length > 0;
  return isWanted ? [{ subject: "hooks", run: () => Promise.resolve(finding) }] : [];
}

type Needing = (paths: readonly string[], check: DoctorCheck) => DoctorCheck;

function telegramChecks(telegram: TelegramConfig, clock: Clock, needing: Needing): DoctorCheck[] {
  const token = ["telegram.token", "telegram.apiRoot"];
  return [
    needing(token, { subject: "telegram", run: (signal) => probeBot(telegram, signal) }),
    needing([...token, "telegram.webhook"], { subject: "updates", run: (signal) => probeUpdates(telegram, signal) }),
    ...Object.entries(telegram.chats).map(([target, chat]) =>
      needing(token, { subject: "chat", target, run: (signal) => probeChat(telegram, chat, signal) }),
    ),
    { subject: "clock", run: (signal) => probeClock(telegram.apiRoot, () => clock.now(), signal) },
  ];
}

function sourceCheck({ name, source, host }: BackupConfig, { config, clock, logger }: DoctorOptions): DoctorCheck {
  const elsewhere = host !== undefined && host !== config.worker.host;
  return {
    subject: "source",
    target: name,
    run: (signal) =>
      elsewhere
        ? Promise.resolve(skipped("doctor-other-host", { host }))
        : probeSource(source, { clock, logger }, signal),
  };
}

function storageCheck(name: string, storage: StorageConfig, { config, logger }: DoctorOptions): DoctorCheck {
  const deps = { logger, host: config.worker.host };
  return { subject: "storage", target: name, run: (signal) => probeStorage(name, storage, deps, signal) };
}

/**
 * Without the identity only writing can be tried: that is how it should be where backups are only made. With it, also
 * whether it opens what lies in the storages.
 */
function encryptionChecks({ config, logger }: DoctorOptions, needing: Needing): DoctorCheck[] {
  const { encryption, storages, worker } = config;
  if (!encryption) return [];
  const { identity: identities } = encryption;
  const deps = { logger, host: worker.host };
  const keys =
    identities === undefined
      ? []
      : Object.entries(storages).map(([target, storage]): DoctorCheck => {
          const run = (signal: AbortSignal) => probeKey(target, storage, identities, deps, signal);
          return needing([`storages.${target}`, "encryption.identity"], { subject: "key", target, run });
        });
  return [
    needing(["encryption.recipients"], { subject: "encryption", run: () => probeEncryption(encryption) }),
    ...keys,
  ];
}

/**
 * Runs the checks at the same time and gives the results in their order, each as soon as it and those before it are
 * known. A check that hangs fails after 30 s.
 */
export async function* runChecks(checks: readonly DoctorCheck[], signal: AbortSignal): AsyncGenerator<DoctorResult> {
  const running = checks.map((check) => runCheck(check, signal));
  for (const result of running) yield await result;
}

async function runCheck({ subject, target, run }: DoctorCheck, signal: AbortSignal): Promise<DoctorResult> {
  const what = { subject, ...(target === undefined ? {} : { target }) };
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(checkTimeoutMs)]);
  const { promise: late, resolve } = Promise.withResolvers<Finding>();
  const onAbort = () => resolve(failed("doctor-timeout", { seconds: checkTimeoutMs / 1000 }));
  bounded.addEventListener("abort", onAbort, { once: true });
  try {
    const finding = await Promise.race([run(bounded), late]);
    return { ...what, ...finding };
  } catch (error) {
    return { ...what, ...failure(error) };
  } finally {
    bounded.removeEventListener("abort", onAbort);
  }
}
