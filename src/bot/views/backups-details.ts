import type { Config } from "../../app/config.ts";
import { deepest, depths, failure, type Proof, preRestorePin } from "../../core/proof.ts";
import { rawBytes, storedBytes } from "../../core/run.ts";
import { reasonLine } from "../../messages/explanation.ts";
import { formatBytes, formatCount, formatDuration } from "../../messages/format.ts";
import { type Messages, reasonOf } from "../../messages/index.ts";
import { noteLines } from "../../messages/notes.ts";
import { expectedEnd } from "../../services/backup/expected-end.ts";
import { explainRetention, policyFor, type RetentionOptions } from "../../services/backup/retention.ts";
import type { CatalogueEntry } from "../../services/catalogue.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { PendingPin } from "../../state/pins.ts";
import { storageLabel, timeOf } from "../backup-words.ts";
import { oneLine } from "../foreign-text.ts";
import { reasonFor } from "../proof-text.ts";
import type { BackupsViewDeps } from "./backups.ts";
import { digestOf } from "./pages.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

type BackupConfig = Config["backups"][number];
/** One storage's copies of a name. */
type Look = Awaited<ReturnType<BackupsViewDeps["catalogue"]["copies"]>>[number];

/** What of others' words is shown. */
const longest = { versions: 200, note: 120, reason: 300 } as const;

/** What tells one server from another, and nobody reads. */
const identities = ["systemIdentifier", "databaseOid"];

/** One backup: everything that is known of it, and what can be done with it. */
export async function backupDetails(
  backup: BackupConfig,
  id: string,
  context: ViewContext,
  deps: BackupsViewDeps,
): Promise<ViewShown> {
  const { messages } = context;
  const { catalogue, pins } = deps;
  const { name } = backup;
  const back = [
    { what: "back", label: messages.plain("button-back") },
    { what: "refresh", label: messages.plain("button-refresh") },
  ];
  const entry = await catalogue.find(name, id);
  if (!entry) return { html: messages.t("backups-gone", { name, run: oneLine(id, 40) }), rows: [back] };
  const looks = await catalogue.copies(name);
  const pending = await pins.read(entry.folder);
  const blocks = [
    aboutLines(entry, context, deps),
    noteLines(entry.manifest, messages.locale).map(({ key, args }) => messages.t(key, args)),
    copyLines(backup, entry, looks, pending, context, deps),
    proofLines(entry, context, deps),
    pinLines(entry, pending, context, deps),
    [messages.t("backups-run", { run: id })],
  ];
  const target = `${digestOf(name)}-${id}`;
  const isPinned = pending ? pending.order.pinned : entry.pin !== undefined;
  const actions: ViewButton[] = [
    { what: `verify-${target}`, label: messages.plain("button-verify") },
    {
      what: `${isPinned ? "unpin" : "pin"}-${target}`,
      label: messages.plain(isPinned ? "button-unpin" : "button-pin"),
    },
  ];
  return {
    html: blocks
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join("\n"))
      .join("\n\n"),
    rows: [
      actions,
      [
        { what: `restore-${target}`, label: messages.plain("button-restore") },
        { what: `link-${target}`, label: messages.plain("button-link") },
      ],
      back,
    ],
  };
}

function aboutLines(
  { manifest, counted }: CatalogueEntry,
  { messages, now }: ViewContext,
  { config }: BackupsViewDeps,
): string[] {
  const { locale } = messages;
  const { name, startedAt, finishedAt, host, kind, source, vakhta, parts, references, encryption } = manifest;
  const bytes = storedBytes(manifest);
  const raw = rawBytes(manifest);
  const size = formatBytes(bytes, locale);
  const lines = [
    messages.t("backups-one", {
      name,
      at: timeOf(startedAt, messages, config.timezone),
      age: formatDuration(now.getTime() - Date.parse(finishedAt), locale),
    }),
    messages.t("backups-made", {
      duration: formatDuration(Date.parse(finishedAt) - Date.parse(startedAt), locale),
      host: oneLine(host, 60),
    }),
  ];
  if (raw === undefined || raw === 0 || bytes === 0) lines.push(messages.t("backup-size", { size }));
  else {
    const ratio = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 }).format(raw / bytes);
    lines.push(messages.t("backup-size-ratio", { size, raw: formatBytes(raw, locale), ratio }));
  }
  if (counted) {
    const { tables, rows } = counted;
    lines.push(messages.t("backup-rows", { tables, rows, rowsText: formatCount(rows, locale) }));
  }
  const entries = parts.flatMap((part) => part.entries ?? []).reduce((sum, count) => sum + count, 0);
  if (entries > 0)
    lines.push(messages.t("backups-entries", { count: entries, countText: formatCount(entries, locale) }));
  if (references.length > 0) {
    const runs = new Set(references.map(({ folder }) => folder)).size;
    const whole = formatBytes(
      references.reduce((sum, reference) => sum + reference.bytes, bytes),
      locale,
    );
    lines.push(messages.t("backups-references", { runs, runsText: formatCount(runs, locale), whole }));
  }
  lines.push(
    encryption
      ? messages.t("backups-encrypted", { recipients: encryption.recipients.length })
      : messages.t("backups-plain"),
  );
  const told = Object.entries(source).filter(([what]) => !identities.includes(what));
  const versions = [kind, ...told.map(([what, value]) => `${what} ${value}`), `vakhta ${vakhta}`];
  lines.push(messages.t("backups-versions", { versions: oneLine(versions.join(", "), longest.versions) }));
  return lines;
}

const copyWords = {
  sound: "backups-copy",
  incomplete: "backups-copy-incomplete",
  damaged: "backups-copy-damaged",
  conflict: "backups-copy-conflict",
  chain: "backups-copy-chain",
} as const;

/** Which storage holds it, how, and how long. */
function copyLines(
  backup: BackupConfig,
  entry: CatalogueEntry,
  looks: readonly Look[],
  pending: PendingPin | undefined,
  { messages, now }: ViewContext,
  deps: BackupsViewDeps,
): string[] {
  const { config } = deps;
  const { folder, manifest, copies } = entry;
  // As the retention does: pinned anywhere, or about to be, is pinned.
  const pinned = new Set(looks.flatMap((look) => [...look.copies].flatMap(([each, { pin }]) => (pin ? [each] : []))));
  if (pending?.order.pinned) pinned.add(folder);
  return [...new Set([...copies, ...backup.storages])].flatMap((storage) => {
    const look = looks.find((one) => one.storage === storage);
    const copy = look?.copies.get(folder);
    const label = storageLabel(config, storage, { name: backup.name, host: manifest.host });
    if (!look || !copy) return [messages.t("backups-copy-none", { storage: label })];
    const options: RetentionOptions = {
      flaws: look.flaws,
      policy: policyFor(backup, storage),
      timezone: config.timezone,
      now,
      lockedMs: lockedMs(config, storage),
      pinned,
    };
    const line = { storage: label, location: deps.storageLocation(storage) };
    return [
      messages.t(copyWords[look.flaws.get(folder) ?? "sound"], line),
      messages.t("backups-copy-more", { more: keepingWords(backup, folder, look.copies, copy, options, messages) }),
    ];
  });
}

/** Storage class, why it stays, and when it goes. */
function keepingWords(
  backup: BackupConfig,
  folder: string,
  copies: ReadonlyMap<string, CachedCopy>,
  { storageClass }: CachedCopy,
  options: RetentionOptions,
  messages: Messages,
): string {
  const time = (at: Date): string => timeOf(at.toISOString(), messages, options.timezone);
  const decided = explainRetention(copies, options).backups.find((one) => one.folder === folder);
  const words = storageClass === undefined ? [] : [oneLine(storageClass, 40)];
  if (!decided?.stays) return [...words, messages.plain("backups-goes-next")].join(" · ");
  const reasons = decided.reasons.map((reason) => reasonLine(reason, time, messages)).join(", ");
  words.push(messages.plain("backups-stays", { reasons }));
  const end = expectedEnd(copies, folder, backup, options);
  if (end) words.push(messages.plain("backups-goes", { at: time(end) }));
  return words.join(" · ");
}

/** Milliseconds for which a storage keeps what was written to it, by its settings. */
function lockedMs({ storages }: Pick<Config, "storages">, storage: string): number | undefined {
  const settings = storages[storage];
  return settings && "objectLock" in settings ? settings.objectLock?.for : undefined;
}

/** The looks at every copy, the deepest first. */
function proofLines(
  { manifest, proofs, copies }: CatalogueEntry,
  { messages }: ViewContext,
  { config }: BackupsViewDeps,
): string[] {
  if (proofs.length === 0) return [messages.t("backups-unproven")];
  return copies.flatMap((storage) => {
    const own = proofs.filter((proof) => proof.storage === storage);
    const label = storageLabel(config, storage, { name: manifest.name, host: manifest.host });
    const [bad, good] = [failure(own), deepest(own)];
    return (
      own
        .toSorted((a, b) => depths.indexOf(b.depth) - depths.indexOf(a.depth))
        // What a newer look has made good, or a deeper one has said already.
        .filter((proof) => proof === bad || proof === good)
        .map((proof) => proofLine(proof, label, messages, config.timezone))
    );
  });
}

function proofLine(proof: Proof, storage: string, messages: Messages, timezone: string): string {
  const { restoreMs, error } = proof;
  const args = { at: timeOf(proof.at, messages, timezone), storage };
  if (!proof.ok) {
    const reason = error
      ? reasonFor(error, messages)
      : { key: "verify-reason-differences", args: { count: proof.differencesTotal ?? 0 } };
    return messages.t("backup-proof-failed", {
      ...args,
      reason: typeof reason === "string" ? oneLine(reason, longest.reason) : reason,
    });
  }
  const depth = { key: `depth-${proof.depth}` };
  if (restoreMs === undefined) return messages.t("backup-proof", { ...args, depth });
  return messages.t("backup-proof-restore", { ...args, depth, duration: formatDuration(restoreMs, messages.locale) });
}

function pinLines(
  { pin, manifest }: CatalogueEntry,
  pending: PendingPin | undefined,
  { messages }: ViewContext,
  { config }: BackupsViewDeps,
): string[] {
  const time = (iso: string): string => timeOf(iso, messages, config.timezone);
  if (!pending) {
    if (!pin) return [];
    if (pin.by === preRestorePin) {
      const made = { at: time(pin.at), restoration: oneLine(pin.reason ?? "?", longest.note) };
      return [messages.t("backups-pinned-before-restore", made)];
    }
    const args = { by: oneLine(pin.by, 64), at: time(pin.at), reason: oneLine(pin.reason ?? "", longest.note) };
    return [messages.t(args.reason === "" ? "backups-pinned" : "backups-pinned-because", args)];
  }
  const { order, waiting } = pending;
  const label = (storage: string): string =>
    storageLabel(config, storage, { name: manifest.name, host: manifest.host });
  const storages = waiting.map(({ storage }) => label(storage)).join(", ");
  const args = { by: oneLine(order.by.name, 64), at: time(order.at), storages };
  return [
    messages.t(order.pinned ? "backups-pinning" : "backups-unpinning", args),
    ...waiting.flatMap(({ storage, error }) =>
      error ? [messages.t("backups-pin-failed", { storage: label(storage), reason: reasonOf(error) })] : [],
    ),
  ];
}
