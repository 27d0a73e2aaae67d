import { nearest, type Path, type Problem } from "./problems.ts";
import {
  laterBackupKeys,
  laterKeys,
  type ParsedBackupConfig,
  type ParsedConfig,
  type TelegramConfig,
} from "./schema.ts";

type Report = (path: Path, key: string, args?: Problem["args"]) => void;

/** What no single key can tell: references between sections, uniqueness, combinations. */
export function crossCheck(config: ParsedConfig): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, key, args = {}) => problems.push({ path, key, args });
  checkHttp(config, report);
  if (config.telegram) checkTelegram(config.telegram, report);
  const seen = new Set<string>();
  for (const [index, backup] of config.backups.entries()) {
    if (seen.has(backup.name)) report(["backups", index, "name"], "config-problem-duplicate-name");
    seen.add(backup.name);
    checkBackup(config, backup, ["backups", index], report);
  }
  return problems;
}

function checkHttp({ http }: ParsedConfig, report: Report) {
  if (http.port === http.workerPort && http.port !== 0) report(["http", "workerPort"], "config-problem-same-port");
}

function checkTelegram(telegram: TelegramConfig, report: Report) {
  if (telegram.mode === "webhook" && !telegram.webhook) {
    report(["telegram", "webhook"], "config-problem-webhook-missing");
  }
  const ids = new Set<number>();
  const names = new Set<string>();
  for (const [index, user] of telegram.users.entries()) {
    if (ids.has(user.id)) report(["telegram", "users", index, "id"], "config-problem-duplicate-user");
    if (names.has(user.name.toLowerCase()))
      report(["telegram", "users", index, "name"], "config-problem-duplicate-name");
    ids.add(user.id);
    names.add(user.name.toLowerCase());
  }
  if (!telegram.users.some((user) => user.role === "admin")) report(["telegram", "users"], "config-problem-no-admin");
  const chats = new Set<number>();
  for (const [name, chat] of Object.entries(telegram.chats)) {
    if (chats.has(chat.id)) report(["telegram", "chats", name, "id"], "config-problem-duplicate-chat");
    chats.add(chat.id);
  }
}

function checkBackup(config: ParsedConfig, backup: ParsedBackupConfig, path: Path, report: Report) {
  const known = Object.keys(config.storages);
  const unknownStorage = (name: string, at: Path) => {
    if (!known.includes(name)) report(at, "config-problem-no-storage", { known: suggest(name, known) });
  };
  for (const [index, name] of (backup.storages ?? []).entries()) {
    unknownStorage(name, [...path, "storages", index]);
    if (backup.storages?.indexOf(name) !== index) report([...path, "storages", index], "config-problem-duplicate-name");
  }
  for (const name of Object.keys(backup.keep ?? {})) {
    unknownStorage(name, [...path, "keep", name]);
    if (backup.storages && !backup.storages.includes(name)) {
      report([...path, "keep", name], "config-problem-keep-elsewhere");
    }
  }
  if (known.length === 0) report([...path, "storages"], "config-problem-nowhere");
  checkHosts(config, backup, path, report);
  if (backup.encrypt && !config.encryption) report([...path, "encrypt"], "config-problem-encrypt");
  if (config.telegram) checkPlace(config.telegram, backup, path, report);
}

/** A backup is made by one worker, which reaches the local storages of its own host only. */
function checkHosts({ storages }: ParsedConfig, backup: ParsedBackupConfig, path: Path, report: Report) {
  let { host } = backup;
  const names = backup.storages ?? Object.keys(backup.keep ?? storages);
  for (const [index, name] of names.entries()) {
    const storage = storages[name];
    if (storage?.kind !== "local" || storage.host === undefined) continue;
    host ??= storage.host;
    if (storage.host === host) continue;
    const at = backup.storages ? [...path, "storages", index] : [...path, "storages"];
    report(at, "config-problem-other-host", { storage: name, disk: storage.host, host });
  }
}

function checkPlace({ chats }: TelegramConfig, backup: ParsedBackupConfig, path: Path, report: Report) {
  const names = Object.keys(chats);
  if (backup.chat !== undefined && !names.includes(backup.chat)) {
    report([...path, "chat"], "config-problem-no-chat", { known: suggest(backup.chat, names) });
    return;
  }
  if (backup.topic === undefined) return;
  const topics = Object.keys(chats[backup.chat ?? names[0] ?? ""]?.topics ?? {});
  if (!topics.includes(backup.topic)) {
    report([...path, "topic"], "config-problem-no-topic", { known: suggest(backup.topic, topics) });
  }
}

/** The name that was probably meant, else all of them; a dash for none. */
function suggest(name: string, known: readonly string[]): string {
  return nearest(name, known) ?? (known.length > 0 ? known.join(", ") : "-");
}

/** Settings that are accepted and do nothing yet, in the order of the file. */
export function unusedSettings(data: Readonly<Record<string, unknown>>): Problem[] {
  const found: Problem[] = [];
  const note = (path: Path) => found.push({ path, key: "config-warning-later", args: {} });
  for (const key of Object.keys(data)) if (laterKeys.some((later) => later === key)) note([key]);
  const backups = Array.isArray(data["backups"]) ? data["backups"] : [];
  for (const [index, backup] of backups.entries()) {
    for (const key of laterBackupKeys) if (backup?.[key] !== undefined) note(["backups", index, key]);
  }
  return found;
}
