import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { Document } from "yaml";
import { AppError } from "../../core/errors.ts";
import type { Locale } from "../../messages/index.ts";

/** What the setup has found out; each part was tried. */
export interface Answers {
  readonly locale: Locale;
  readonly timezone: string;
  readonly telegram: { readonly token: string; readonly apiRoot: string };
  readonly admin: { readonly id: number; readonly name: string };
  readonly chat: { readonly id: number; readonly threadId?: number };
  readonly redisUrl: string;
  /** What alerts have to know to be let in. */
  readonly httpToken: string;
  readonly backup: { readonly name: string; readonly url: string; readonly schedule?: string };
  readonly storages: Readonly<Record<string, StorageAnswer>>;
  readonly encryption?: { readonly recipient: string; readonly identity?: string };
}

export type StorageAnswer =
  | { readonly kind: "local"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly endpoint?: string;
      readonly region: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly forcePathStyle: boolean;
    };

export const defaultApiRoot = "https://api.telegram.org";

/** A text that shall be taken literally, whatever it holds. */
const literal = (text: string) => text.replaceAll("${", "$${");

/** An address without a password that can be the default of a variable: elsewhere, as in a container, it is another. */
const isPublic = (url: string) => URL.parse(url)?.password === "" && !/[{}]/.test(url);

/** The configuration without secrets, and the variables that hold them. */
export function render(answers: Answers): { readonly yaml: string; readonly env: Readonly<Record<string, string>> } {
  const env: Record<string, string> = {};
  const secret = (name: string, value: string) => {
    env[name] = value;
    return `\${${name}}`;
  };
  const { telegram, admin, chat, redisUrl, backup, encryption } = answers;
  const storages = Object.entries(answers.storages).map(([name, storage]) => {
    if (storage.kind === "local") return [name, { ...storage, path: literal(storage.path) }];
    const { accessKeyId, secretAccessKey, ...rest } = storage;
    const keys = { accessKeyId: secret("S3_KEY", accessKeyId), secretAccessKey: secret("S3_SECRET", secretAccessKey) };
    return [name, { ...rest, ...keys }];
  });
  const place = { chat: "ops", ...(chat.threadId === undefined ? {} : { topic: "backups" }) };
  const databaseVariable = `${backup.name.replaceAll("-", "_").toUpperCase()}_DATABASE_URL`;
  const config = {
    timezone: answers.timezone,
    locale: answers.locale,
    http: { token: secret("HTTP_TOKEN", answers.httpToken) },
    redis: { url: isPublic(redisUrl) ? `\${REDIS_URL:-${redisUrl}}` : secret("REDIS_URL", redisUrl) },
    telegram: {
      token: secret("BOT_TOKEN", telegram.token),
      ...(telegram.apiRoot === defaultApiRoot ? {} : { apiRoot: telegram.apiRoot }),
      chats: { ops: { id: chat.id, ...(chat.threadId === undefined ? {} : { topics: { backups: chat.threadId } }) } },
      users: [{ id: admin.id, name: literal(admin.name), role: "admin" }],
    },
    storages: Object.fromEntries(storages),
    ...(encryption
      ? {
          encryption: {
            recipients: [encryption.recipient],
            ...(encryption.identity ? { identity: secret("AGE_IDENTITY", encryption.identity) } : {}),
          },
        }
      : {}),
    backups: [
      {
        name: backup.name,
        source: {
          kind: "postgres",
          url: secret(/^\d/.test(databaseVariable) ? `DB_${databaseVariable}` : databaseVariable, backup.url),
        },
        ...(backup.schedule === undefined ? {} : { schedule: backup.schedule }),
        ...place,
      },
    ],
    alerts: {
      routes: [
        { match: { severity: "critical" }, ...place, repeat: "4h" },
        { match: {}, ...place, silent: "22:00-08:00" },
      ],
    },
    // They are about servers once there are some.
    rules: [
      { name: "cpu", when: "cpu > 90", for: "10m", clear: "cpu < 80", severity: "critical" },
      { name: "disk", when: "disk > 85", for: "10m", clear: "disk < 80", severity: "warning" },
    ],
    daily: { at: "09:00", ...place },
    // Where all copies lie on the worker's own disk there is nothing that would survive it.
    ...(Object.values(answers.storages).some(({ kind }) => kind !== "local")
      ? { drill: { schedule: "0 6 * * 1", ...place } }
      : {}),
  };
  const document = new Document(config, { aliasDuplicateObjects: false });
  document.commentBefore =
    " yaml-language-server: $schema=./docs/vakhta.schema.json\n" +
    " Every setting is described in docs/configuration.md; the secrets are in .env beside this file.";
  return { yaml: document.toString({ lineWidth: 120 }), env };
}

/** The token that an existing `.env` file has, else a new one: who sends alerts already goes on doing so. */
export function httpTokenFor(envFile: string): string {
  const existing = existsSync(envFile) ? parseEnv(readFileSync(envFile, "utf8"))["HTTP_TOKEN"] : undefined;
  return existing !== undefined && existing.length >= 16 ? existing : randomBytes(24).toString("hex");
}

/** One line of a `.env` file. @throws AppError `config` for a value that such a line cannot hold. */
export function envLine(name: string, value: string): string {
  if (/^[\w.:/@%+,=?&~-]*$/.test(value)) return `${name}=${value}`;
  const quote = ["'", '"', "`"].find((mark) => parseEnv(`X=${mark}${value}${mark}`)["X"] === value);
  if (!quote) {
    const text = { key: "error-env-value", args: { name } };
    throw new AppError("config", `the value of ${name} cannot be written into .env`, { text });
  }
  return `${name}=${quote}${value}${quote}`;
}

/** The content of a `.env` file with these variables set; other lines stay as they are. */
export function mergeEnv(existing: string, env: Readonly<Record<string, string>>): string {
  const names = new Set(Object.keys(env));
  const kept = existing.split(/\r?\n/).filter((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1];
    return name === undefined || !names.has(name);
  });
  while (kept.at(-1) === "") kept.pop();
  return `${[...kept, ...Object.entries(env).map(([name, value]) => envLine(name, value))].join("\n")}\n`;
}

/** Variables of an existing `.env` file that would get another value. */
export function changedVariables(file: string, env: Readonly<Record<string, string>>): string[] {
  if (!existsSync(file)) return [];
  const existing = parseEnv(readFileSync(file, "utf8"));
  return Object.keys(env).filter((name) => existing[name] !== undefined && existing[name] !== env[name]);
}

/** Writes both files, each whole or not at all. The secrets are readable by their owner only. */
export function writeFiles(file: string, envFile: string, content: ReturnType<typeof render>): void {
  const existing = existsSync(envFile) ? readFileSync(envFile, "utf8") : "";
  replaceFile(envFile, mergeEnv(existing, content.env), 0o600);
  replaceFile(file, content.yaml, existsSync(file) ? statSync(file).mode & 0o777 : 0o644);
}

function replaceFile(file: string, content: string, mode: number): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode, flush: true });
  renameSync(temporary, file);
}
