import { hostname } from "node:os";
import { defaultKeep, type KeepPolicy } from "../core/retention.ts";
import { type Locale, type Messages, messagesOf } from "../messages/index.ts";
import { adviceOf, unusedSettings } from "./config/advice.ts";
import { describeIssue, readIssue } from "./config/describe.ts";
import { type ConfigDocument, readDocument } from "./config/document.ts";
import { type Environment, withEnvFile } from "./config/environment.ts";
import { isMissing, tolerant } from "./config/missing.ts";
import { outlineOf } from "./config/outline.ts";
import { ConfigError, formatPath, type Path, type Problem } from "./config/problems.ts";
import { absentSections, crossCheck } from "./config/references.ts";
import { allRequirements, type Requirement, type Resolved, resolveVariables } from "./config/resolve.ts";
import { configSchema, type ParsedBackupConfig, type ParsedConfig, type TelegramConfig } from "./config/schema.ts";
import { registerSecrets } from "./config/secrets.ts";

export { ConfigError, configExitCode, formatPath, formatProblem, type Problem } from "./config/problems.ts";
export type { Requirement } from "./config/resolve.ts";
export type { RuleConfig } from "./config/rules.ts";
export type {
  EncryptionConfig,
  HeartbeatConfig,
  SourceConfig,
  StorageConfig,
  TelegramConfig,
} from "./config/schema.ts";
export type { ProviderConfig, ServerConfig } from "./config/servers.ts";

/** One backup with its defaults filled in. `timeout` in milliseconds. */
export type BackupConfig = Omit<ParsedBackupConfig, "keep" | "storages" | "encrypt"> & {
  readonly storages: readonly string[];
  readonly encrypt: boolean;
  /** How many backups each of its storages keeps. */
  readonly keep: Readonly<Record<string, KeepPolicy>>;
};

/** The configuration as the program uses it: defaults filled in, durations in milliseconds, variables replaced. */
export type Config = Pick<
  ParsedConfig,
  | "timezone"
  | "locale"
  | "redis"
  | "http"
  | "storages"
  | "log"
  | "approvals"
  | "alerts"
  | "hooks"
  | "heartbeats"
  | "daily"
  | "providers"
  | "servers"
  | "stats"
  | "rules"
  | "recovery"
> & {
  readonly telegram?: TelegramConfig;
  readonly encryption?: NonNullable<ParsedConfig["encryption"]>;
  readonly heartbeat?: NonNullable<ParsedConfig["heartbeat"]>;
  readonly drill?: NonNullable<ParsedConfig["drill"]>;
  readonly worker: { readonly host: string; readonly concurrency: number; readonly lease: number };
  readonly backups: readonly BackupConfig[];
};

/** A configuration whose Telegram part is there, as `requires: ["telegram"]` makes sure. */
export type BotConfig = Config & { readonly telegram: TelegramConfig };

export interface LoadOptions {
  /** Default: `VAKHTA_CONFIG`, else `vakhta.yaml` in the working directory. */
  readonly path?: string | undefined;
  /** Default: the process's own environment. */
  readonly env?: Environment;
  /** Secrets of the rest may be missing; what needs them is then `undefined` or empty in the result. */
  readonly requires: readonly Requirement[];
}

export interface LoadedConfig<C extends Config = Config> {
  readonly config: C;
  /** Settings that are known and have no effect yet, what can hardly be meant, secrets that are too short to be redacted. */
  readonly warnings: readonly Problem[];
  /** Settings whose variables are not set here and that this process does not need: "storages.offsite.secretAccessKey". */
  readonly missing: readonly string[];
  /** The file as it was named. */
  readonly file: string;
}

export interface CheckedConfig {
  readonly file: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly missing: readonly string[];
  /** Absent when there are problems. */
  readonly config?: Config;
  /** In the file's own language, where that could be read. */
  readonly messages: Messages;
}

/** The language of the terminal: `LC_ALL`, `LC_MESSAGES`, `LANG`. */
export function environmentLocale(env: Environment = process.env): Locale {
  const name = env["LC_ALL"] || env["LC_MESSAGES"] || env["LANG"] || "";
  return /^ru([_.@-]|$)/i.test(name) ? "ru" : "en";
}

/** A variable of this process's own environment, for what a machine without a configuration is told by it. */
export function environmentVariables(): Environment {
  return process.env;
}

/** Where the configuration is: the given path, `VAKHTA_CONFIG`, or `vakhta.yaml` in the working directory. */
export function configFile(path?: string, env: Environment = process.env): string {
  return path || env["VAKHTA_CONFIG"] || "vakhta.yaml";
}

/**
 * Reads, interpolates and validates the configuration; registers its secrets for redaction.
 * @throws ConfigError with all problems at once; the entry point prints its message and exits with `configExitCode`.
 */
export function loadConfig(
  options: LoadOptions & { readonly requires: readonly ["telegram", ...Requirement[]] },
): LoadedConfig<BotConfig>;
export function loadConfig(options: LoadOptions): LoadedConfig;
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { config, problems, warnings, missing, file, messages } = checkConfig(options);
  if (!config) throw new ConfigError(file, problems, messages);
  return { config, warnings, missing, file };
}

/** Like `loadConfig`, but gives the problems instead of throwing. Requires everything unless told otherwise. */
export function checkConfig(options: Partial<LoadOptions> = {}): CheckedConfig {
  const given = options.env ?? process.env;
  const requires = options.requires ?? allRequirements;
  const file = configFile(options.path, given);
  const document = readDocument(file);
  if ("problems" in document) {
    return {
      file,
      problems: document.problems,
      warnings: [],
      missing: [],
      messages: messagesOf(environmentLocale(given)),
    };
  }
  const { locale } = document.data;
  const messages = messagesOf(locale === "en" || locale === "ru" ? locale : environmentLocale(given));
  let env: Environment;
  try {
    env = withEnvFile(given, file);
  } catch {
    return { file, problems: [{ path: [], key: "config-env-file", args: {} }], warnings: [], missing: [], messages };
  }
  const short: Problem[] = [];
  const resolved = resolveVariables(document.data, env, requires, (path, text, fromEnvironment) => {
    if (!registerSecrets(path, text, fromEnvironment))
      short.push({ path, key: "config-warning-short-secret", args: {} });
  });
  const { parsed, problems } = validate(resolved);
  const outline = outlineOf(resolved.data);
  const all = [...resolved.problems, ...problems, ...crossCheck(outline), ...absentSections(outline, options.requires)];
  const place = locator(document);
  const { missing } = resolved;
  const warnings = [...unusedSettings(document.data), ...adviceOf(outline), ...short].map(place);
  if (!parsed || all.length > 0) return { file, problems: sorted(all.map(place)), warnings, missing, messages };
  return { file, problems: [], warnings, missing, messages, config: complete(parsed, env) };
}

type Located = Problem & { readonly atKey?: boolean };

function locator(document: ConfigDocument) {
  return ({ path, key, args, atKey }: Located): Problem => ({ path, key, args, ...document.locate(path, atKey) });
}

function sorted(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Validates, turning whole `${...}` scalars into numbers and booleans where the schema asks for them. */
function validate({ data, whole }: Resolved): { parsed?: ParsedConfig; problems: Located[] } {
  const schema = configSchema(tolerant, data);
  const converted = new Set<string>();
  for (;;) {
    const result = schema.safeParse(data, { error: describeIssue });
    if (result.success) return { parsed: result.data, problems: [] };
    const issues = result.error.issues.flatMap(readIssue).filter(({ path }) => !isMissing(data, path));
    let retry = false;
    for (const { path, key, args } of issues) {
      const name = formatPath(path);
      if (key !== "config-problem-type" || !whole.has(name) || converted.has(name)) continue;
      converted.add(name);
      retry = convert(data, path, args["expected"]) || retry;
    }
    if (!retry) return { problems: issues };
  }
}

/** Replaces the text at a path by the number or boolean that it spells; false when it spells none. */
function convert(data: unknown, path: Path, expected: unknown): boolean {
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>((value, step) => Reflect.get(Object(value), step), data);
  if (last === undefined || typeof parent !== "object" || parent === null) return false;
  const text = String(Reflect.get(parent, last));
  if ((expected === "number" || expected === "int") && /^-?\d+(?:\.\d+)?$/.test(text))
    return Reflect.set(parent, last, Number(text));
  if (expected === "boolean" && /^(?:true|false)$/.test(text)) return Reflect.set(parent, last, text === "true");
  return false;
}

function complete(parsed: ParsedConfig, env: Environment): Config {
  const { timezone, locale, redis, http, storages, log, telegram, encryption, worker, heartbeat } = parsed;
  const { approvals, alerts, hooks, heartbeats, daily, drill } = parsed;
  const { providers, servers, stats, rules, recovery } = parsed;
  return {
    timezone,
    locale,
    redis,
    http,
    storages,
    log,
    approvals,
    alerts,
    hooks,
    heartbeats,
    daily,
    providers,
    servers,
    stats,
    rules,
    recovery,
    worker: { ...worker, host: worker.host ?? (env["WORKER_HOST"] || hostname()) },
    ...(telegram ? { telegram } : {}),
    ...(encryption ? { encryption } : {}),
    ...(heartbeat ? { heartbeat } : {}),
    ...(drill ? { drill } : {}),
    backups: parsed.backups.map(({ keep = {}, ...backup }) => {
      const configured = Object.keys(keep);
      const names = backup.storages ?? (configured.length > 0 ? configured : Object.keys(storages));
      const policyOf = (name: string): KeepPolicy => keep[name] ?? defaultKeep(storages[name]?.kind === "local");
      return {
        ...backup,
        storages: names,
        encrypt: backup.encrypt ?? encryption !== undefined,
        keep: Object.fromEntries(names.map((name) => [name, policyOf(name)])),
      };
    }),
  };
}
