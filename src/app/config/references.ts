import { posix } from "node:path";
import { approvalPolicies, mostApprovals } from "../../core/approval-policy.ts";
import { matcherOf } from "../../core/globs.ts";
import { severities } from "../../core/signal.ts";
import { approvalDefaults } from "./approvals.ts";
import { checkDrill } from "./drill.ts";
import type { BackupOutline, Outline, TelegramOutline } from "./outline.ts";
import { nearest, type Path, type Problem } from "./problems.ts";
import { allRequirements, type Requirement } from "./resolve.ts";
import { checkRules } from "./rules.ts";
import { checkServers } from "./servers.ts";

type Report = (path: Path, key: string, args?: Problem["args"]) => void;

/** What no single key can tell: references between sections, uniqueness, combinations. */
export function crossCheck(outline: Outline): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, key, args = {}) => problems.push({ path, key, args });
  checkHttp(outline, report);
  if (outline.telegram) checkTelegram(outline.telegram, report);
  if (outline.storages) checkPlaces(outline.storages, report);
  const repeated = repetitions();
  for (const [index, backup] of (outline.backups ?? []).entries()) {
    if (!backup) continue;
    if (repeated(backup.name)) report(["backups", index, "name"], "config-problem-duplicate-name");
    checkBackup(outline, backup, ["backups", index], report);
  }
  checkApprovals(outline, report);
  checkAlerts(outline, report);
  checkDrill(outline, report);
  checkServers(outline, report);
  checkRules(outline, report);
  if (outline.drill && outline.telegram?.chats) checkPlace(outline.telegram.chats, outline.drill, ["drill"], report);
  return problems;
}

/** Tells whether a value was there before; one that cannot be read repeats nothing. */
function repetitions(): (value: string | number | undefined) => boolean {
  const seen = new Set<string | number>();
  return (value) => value !== undefined && seen.size === seen.add(value).size;
}

function checkHttp({ http }: Outline, report: Report) {
  if (http.port === http.workerPort && http.port !== 0) report(["http", "workerPort"], "config-problem-same-port");
}

function checkTelegram({ mode, webhook, users, chats }: TelegramOutline, report: Report) {
  if (mode === "webhook" && webhook === undefined) report(["telegram", "webhook"], "config-problem-webhook-missing");
  const repeatedId = repetitions();
  const repeatedName = repetitions();
  for (const [index, { id, name }] of (users ?? []).entries()) {
    if (repeatedId(id)) report(["telegram", "users", index, "id"], "config-problem-duplicate-user");
    if (repeatedName(name?.trim().toLowerCase())) {
      report(["telegram", "users", index, "name"], "config-problem-duplicate-name");
    }
  }
  // One whose role cannot be read may be the admin.
  if (users?.every(({ role }) => role !== undefined && role !== "admin")) {
    report(["telegram", "users"], "config-problem-no-admin");
  }
  const repeatedChat = repetitions();
  for (const [name, { id }] of Object.entries(chats ?? {})) {
    if (repeatedChat(id)) report(["telegram", "chats", name, "id"], "config-problem-duplicate-chat");
  }
}

function checkBackup(outline: Outline, backup: BackupOutline, path: Path, report: Report) {
  if (outline.storages) checkStorages(outline.storages, backup, path, report);
  if (backup.encrypt && outline.encryption === undefined) report([...path, "encrypt"], "config-problem-encrypt");
  if (backup.source?.kind === "config" && (outline.encryption === undefined || backup.encrypt === false))
    report([...path, "encrypt"], "config-problem-config-plain");
  if (outline.storages && backup.source) checkTree(outline.storages, backup.source, [...path, "source"], report);
  if (outline.storages) checkBucket(outline.storages, backup, path, report);
  if (outline.telegram?.chats) checkPlace(outline.telegram.chats, backup, path, report);
}

/** A backup of files in which the backups themselves lie would double with each run. */
function checkTree(storages: Storages, source: NonNullable<BackupOutline["source"]>, path: Path, report: Report) {
  if (source.via !== undefined || !source.paths || !source.exclude) return;
  for (const [name, storage] of Object.entries(storages)) {
    if (storage.kind !== "local" || storage.path === undefined) continue;
    const place = storage.path.replace(/\/+$/, "");
    const inside = source.paths.some((root) => root !== undefined && `${place}/`.startsWith(root.replace(/\/*$/, "/")));
    if (inside && !source.exclude.some((pattern) => pattern === undefined || leavesOut(pattern, place)))
      report([...path, "exclude"], "config-problem-files-storage", { storage: name, path: place });
  }
}

/** Whether a pattern as tar's leaves out this path or a folder above it. */
function leavesOut(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/\/$/, "")
    .replaceAll(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  // What stands in brackets may be anything that no regular expression understands: then nothing is concluded from it.
  const plain = source.replaceAll(/\[[^\]]*\]/g, ".");
  return new RegExp(`${pattern.startsWith("/") ? "^" : "(?:^|/)"}${plain.replaceAll("[", "\\[")}(?:/|$)`).test(path);
}

/** The same for a bucket. Whose backups they are makes no difference: each run would read those of all others. */
function checkBucket(storages: Storages, { source }: BackupOutline, path: Path, report: Report) {
  if (source?.kind !== "s3" || source.bucket === undefined || !source.exclude) return;
  const root = folderOf(source.prefix);
  for (const [name, storage] of Object.entries(storages)) {
    const isSame = storage.kind === "s3" && storage.bucket === source.bucket && storage.endpoint === source.endpoint;
    const place = folderOf(storage.prefix);
    if (!isSame || !place.startsWith(root)) continue;
    const within = place.slice(root.length);
    const isLeftOut = matcherOf(source.exclude.flatMap((pattern) => pattern ?? "*"));
    if (!isLeftOut(`${within}backup/run/manifest.json`))
      report([...path, "source", "exclude"], "config-problem-s3-itself", { storage: name, pattern: `${within}*` });
  }
}

function folderOf(prefix = ""): string {
  return prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
}

type Storages = NonNullable<Outline["storages"]>;

/** Two storages in one place would pass for two copies, and each would remove what the other is to keep. */
function checkPlaces(storages: Storages, report: Report) {
  const known: [string, Storages[string]][] = [];
  for (const [name, storage] of Object.entries(storages)) {
    const [other] = known.find(([, before]) => isSamePlace(storage, before)) ?? [];
    if (other !== undefined) report(["storages", name], "config-problem-same-place", { storage: other });
    known.push([name, storage]);
  }
}

function isSamePlace(a: Storages[string], b: Storages[string]): boolean {
  if (a.kind === "local" && b.kind === "local") {
    // Without a host it is the disk of the only worker.
    const isSameHost = a.host === b.host || a.host === undefined || b.host === undefined;
    return isSameHost && a.path !== undefined && b.path !== undefined && pathOf(a.path) === pathOf(b.path);
  }
  return (
    a.kind === "s3" &&
    b.kind === "s3" &&
    a.bucket !== undefined &&
    a.bucket === b.bucket &&
    serverOf(a.endpoint) === serverOf(b.endpoint) &&
    folderOf(a.prefix) === folderOf(b.prefix)
  );
}

function pathOf(path: string): string {
  return folderOf(posix.normalize(path));
}

/** A server's address in one spelling; undefined: AWS, where a bucket's name is one in all regions. */
function serverOf(endpoint: string | undefined): string | undefined {
  return endpoint === undefined ? undefined : (URL.parse(endpoint)?.host ?? endpoint);
}

function checkStorages(storages: Storages, backup: BackupOutline, path: Path, report: Report) {
  const known = Object.keys(storages);
  const unknownStorage = (name: string, at: Path) => {
    if (!known.includes(name)) report(at, "config-problem-no-storage", { known: suggest(name, known) });
  };
  const repeated = repetitions();
  for (const [index, name] of (backup.storages ?? []).entries()) {
    if (name === undefined) continue;
    unknownStorage(name, [...path, "storages", index]);
    if (repeated(name)) report([...path, "storages", index], "config-problem-duplicate-name");
  }
  for (const name of Object.keys(backup.keep ?? {})) {
    unknownStorage(name, [...path, "keep", name]);
    if (backup.storages && !backup.storages.includes(name)) {
      report([...path, "keep", name], "config-problem-keep-elsewhere");
    }
  }
  const proven = backup.verify?.storage;
  if (proven !== undefined) {
    unknownStorage(proven, [...path, "verify", "storage"]);
    if (backup.storages && known.includes(proven) && !backup.storages.includes(proven))
      report([...path, "verify", "storage"], "config-problem-keep-elsewhere");
  }
  if (known.length === 0) report([...path, "storages"], "config-problem-nowhere");
  checkHosts(storages, backup, path, report);
}

/** A backup is made by one worker, which reaches the local storages of its own host only. */
function checkHosts(storages: Storages, backup: BackupOutline, path: Path, report: Report) {
  let { host } = backup;
  const names = backup.storages ?? Object.keys(backup.keep ?? storages);
  for (const [index, name = ""] of names.entries()) {
    const storage = storages[name];
    if (storage?.kind !== "local" || storage.host === undefined) continue;
    host ??= storage.host;
    if (storage.host === host) continue;
    const at = backup.storages ? [...path, "storages", index] : [...path, "storages"];
    report(at, "config-problem-other-host", { storage: name, disk: storage.host, host });
  }
}

interface Place {
  readonly chat?: string | undefined;
  readonly topic?: string | undefined;
}

function checkPlace(chats: NonNullable<TelegramOutline["chats"]>, place: Place, path: Path, report: Report) {
  const names = Object.keys(chats);
  if (place.chat !== undefined && !names.includes(place.chat)) {
    report([...path, "chat"], "config-problem-no-chat", { known: suggest(place.chat, names) });
    return;
  }
  if (place.topic === undefined) return;
  const chat = chats[place.chat ?? names[0] ?? ""];
  const topics = chat ? chat.topics && Object.keys(chat.topics) : [];
  if (topics && !topics.includes(place.topic)) {
    report([...path, "topic"], "config-problem-no-topic", { known: suggest(place.topic, topics) });
  }
}

/** A policy that nobody's order can ever meet would let every order expire. */
function checkApprovals({ approvals, telegram }: Outline, report: Report) {
  if (!telegram?.users) return;
  // One whose role or id cannot be read may be anybody.
  const users = telegram.users.map(({ id, role = "admin" }, index) => ({ id: id ?? -1 - index, role }));
  for (const name of approvalPolicies) {
    const written = approvals[name];
    if (!written) continue;
    const { approvers, requesterCounts } = written;
    const role = written.role ?? approvalDefaults[name].role;
    const most = mostApprovals({ approvers, role, requesterCounts }, users);
    if (most >= approvers) continue;
    const key = requesterCounts ? "config-problem-approvers" : "config-problem-approvers-others";
    report(["approvals", name, "approvers"], key, { approvers, role, most });
  }
}

/** Whether there can be such a severity; a pattern may be anything. */
const isSeverity = (value: string) => value.startsWith("/") || severities.some((known) => known === value);

function checkAlerts({ alerts, daily, heartbeats, telegram }: Outline, report: Report) {
  const chats = telegram?.chats;
  for (const [index, route] of (alerts.routes ?? []).entries()) {
    const path = ["alerts", "routes", index];
    if (route && chats) checkPlace(chats, route, path, report);
    if (route?.match?.["severity"]?.some((value) => !isSeverity(value)))
      report([...path, "match", "severity"], "config-problem-one-of", { values: severities.join(", ") });
  }
  if (daily && chats) checkPlace(chats, daily, ["daily"], report);
  const repeatedName = repetitions();
  const repeatedKey = repetitions();
  for (const [index, heartbeat] of (heartbeats ?? []).entries()) {
    if (!heartbeat) continue;
    const path = ["heartbeats", index];
    if (repeatedName(heartbeat.name)) report([...path, "name"], "config-problem-duplicate-name");
    if (repeatedKey(heartbeat.key)) report([...path, "key"], "config-problem-duplicate-key");
    if ((heartbeat.every === undefined) === (heartbeat.cron === undefined))
      report(path, "config-problem-heartbeat-when");
  }
}

/** Sections without which this process has nothing to do; `requires` undefined: all processes of the file together. */
export function absentSections(outline: Outline, requires: readonly Requirement[] | undefined): Problem[] {
  const { telegram, storages, backups, servers } = outline;
  const isEmpty = storages && Object.keys(storages).length === 0 && backups?.length === 0;
  // Alerts need a chat and nothing else, a worker that looks at servers no backups.
  if (!requires) return isEmpty && telegram ? [] : absentSections(outline, allRequirements);
  const absent: string[] = [];
  const watches = requires.includes("providers") && isEmpty && servers?.length !== 0;
  if (requires.includes("telegram") && telegram === undefined) absent.push("telegram");
  if (watches) return sections(absent);
  if (requires.includes("storages") && storages && Object.keys(storages).length === 0) absent.push("storages");
  if (requires.includes("sources") && backups?.length === 0) absent.push("backups");
  return sections(absent);
}

function sections(absent: readonly string[]): Problem[] {
  return absent.map((section) => ({ path: [section], key: "config-problem-section", args: {} }));
}

/** The name that was probably meant, else all of them; a dash for none. */
function suggest(name: string, known: readonly string[]): string {
  return nearest(name, known) ?? (known.length > 0 ? known.join(", ") : "-");
}
