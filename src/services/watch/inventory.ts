import type { Config } from "../../app/config.ts";
import { balanceSeverity, bucketPercent, bucketSeverity, domainSeverity, hoursLeftOf } from "../../core/inventory.ts";
import type { Domain, Finances, ManagedBucket } from "../../core/managed.ts";
import type { Severity } from "../../core/signal.ts";
import type { Text } from "../../core/text.ts";
import type { AccountInventory, InventoryStates, Section } from "../../state/inventory.ts";
import { limitsOf } from "../servers/inventory.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

export interface InventoryCheckDeps {
  readonly config: Pick<Config, "providers" | "timezone">;
  readonly inventoryStates: Pick<InventoryStates, "readAll">;
}

/** What a provider has not told for so long is said; milliseconds. Why, its servers' polls say much sooner. */
const unknownAfterMs = 24 * 3_600_000;
const byteUnits = { kilobyte: 1e3, megabyte: 1e6, gigabyte: 1e9 } as const;

/**
 * Whether balances last, domains are paid for and buckets have room, by what the providers have said last: an API that
 * cannot be asked changes nothing of it. Domains are judged by the time at which they were read.
 */
export function inventoryCheck({ config, inventoryStates }: InventoryCheckDeps): WatchCheck {
  return {
    name: "accounts",
    everyMs: 15_000,
    look: async ({ now, open }) => {
      const accounts = Object.keys(config.providers);
      const records = await inventoryStates.readAll("account", accounts);
      return accounts.flatMap((account) => {
        const record = records.get(account);
        // Nobody has asked yet, or Redis has lost it: nothing is better for that.
        if (!record) return [...open.values()].filter(({ labels }) => labels?.["provider"] === account);
        return judge(account, record, { now, open, config });
      });
    },
  };
}

interface Context {
  readonly now: Date;
  readonly open: ReadonlyMap<string, Finding>;
  readonly config: InventoryCheckDeps["config"];
}

function judge(account: string, record: AccountInventory, context: Context): Finding[] {
  const { finances, domains, buckets } = record;
  return [
    ...ofSection(account, "balance", finances, context, (known) => ofBalance(account, known, context)),
    ...ofSection(account, "domain", domains, context, (known, at) =>
      known.flatMap((domain) => ofDomain(account, domain, at, context)),
    ),
    ...ofSection(account, "bucket", buckets, context, (known) =>
      known.flatMap((bucket) => ofBucket(account, bucket, context)),
    ),
    ...ofUnknown(account, record, context),
  ];
}

/** Of what was never told, what was found before stays. */
function ofSection<T>(
  account: string,
  kind: string,
  section: Section<T> | undefined,
  { open }: Context,
  judged: (known: T, at: Date) => Finding[],
): Finding[] {
  if (!section) return [];
  if (section.known) return judged(section.known.value, section.known.at);
  const prefix = fingerprintOf(kind, account, "");
  return [...open].filter(([fingerprint]) => fingerprint.startsWith(prefix)).map(([, finding]) => finding);
}

function fingerprintOf(kind: string, account: string, name: string): string {
  return `${kind}:${account}/${name}`;
}

function ofBalance(account: string, finances: Finances, { open, config }: Context): Finding[] {
  const fingerprint = fingerprintOf("balance", account, "");
  const severity = balanceSeverity(finances, limitsOf(config, account), open.get(fingerprint)?.severity);
  if (!severity) return [];
  const left = hoursLeftOf(finances) ?? 0;
  const hours = Math.floor(left);
  const { balance, currency, hourlyCost = 0 } = finances;
  const spent = hourlyCost > 0 ? "yes" : "no";
  const args = { balance: rounded(balance), currency, cost: rounded(hourlyCost), spent };
  const text =
    // Whole hours are told: of the last one none.
    left === 0 && balance <= 0
      ? { key: "watch-balance-none", args: { balance: args.balance, currency } }
      : hours < 48
        ? { key: "watch-balance-hours", args: { ...args, count: hours } }
        : { key: "watch-balance-days", args: { ...args, count: Math.floor(hours / 24) } };
  const title = { key: "watch-balance", args: { account } };
  return [{ fingerprint, severity, title, text, labels: { provider: account } }];
}

function ofDomain(account: string, { name, expiresAt }: Domain, at: Date, { config }: Context): Finding[] {
  const severity = domainSeverity(expiresAt, at);
  if (!severity || !expiresAt) return [];
  const hasEnded = expiresAt <= at;
  const args = { at: stamp(expiresAt, config.timezone), account };
  return [
    {
      fingerprint: fingerprintOf("domain", account, name),
      severity,
      title: { key: hasEnded ? "watch-domain-ended" : "watch-domain", args: { domain: name } },
      text: { key: hasEnded ? "watch-domain-ended-text" : "watch-domain-text", args },
      labels: { provider: account, domain: name },
    },
  ];
}

function ofBucket(account: string, bucket: ManagedBucket, { open, config }: Context): Finding[] {
  const { id, name, limitBytes = 0 } = bucket;
  const fingerprint = fingerprintOf("bucket", account, id);
  const was: Severity | undefined = open.get(fingerprint)?.severity;
  const severity = bucketSeverity(bucket, limitsOf(config, account), was);
  if (!severity) return [];
  const unit = limitBytes < byteUnits.megabyte ? "kilobyte" : limitBytes < byteUnits.gigabyte ? "megabyte" : "gigabyte";
  const limit = rounded(limitBytes / byteUnits[unit]);
  const args = { percent: Math.floor(bucketPercent(bucket) ?? 0), limit, unit };
  const title = { key: "watch-bucket", args: { bucket: name, account } };
  const labels = { provider: account, bucket: name };
  return [{ fingerprint, severity, title, text: { key: "watch-bucket-text", args }, labels }];
}

function ofUnknown(account: string, record: AccountInventory, { now, config }: Context): Finding[] {
  const { finances, domains, buckets, databases } = record;
  const failing = Object.entries({ finances, domains, buckets, databases }).flatMap(([what, section]) =>
    section?.failed && now.getTime() - section.failed.at.getTime() >= unknownAfterMs
      ? [{ what, since: section.failed.at }]
      : [],
  );
  if (failing.length === 0) return [];
  const since = new Date(Math.min(...failing.map((one) => one.since.getTime())));
  const args = {
    since: stamp(since, config.timezone),
    what: listOf(failing.map(({ what }) => ({ key: `watch-account-${what}` }))),
  };
  return [
    {
      fingerprint: fingerprintOf("account", account, ""),
      severity: "warning",
      title: { key: "watch-account", args: { account } },
      text: { key: "watch-account-text", args },
      labels: { provider: account },
      since,
    },
  ];
}

/** All of them in one text, in the reader's words. */
function listOf(texts: readonly Text[]): Text | string {
  const [one, ...rest] = texts;
  if (!one) return "";
  return rest.length === 0 ? one : { key: "watch-account-more", args: { one, rest: listOf(rest) } };
}

/** Two digits behind the point. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
