import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { type Config, environmentVariables, type LoadOptions, loadConfig } from "../app/config.ts";
import { AppError } from "../core/errors.ts";
import { identityLines, isIdentity } from "../lib/age-keys.ts";
import { createLogger } from "../lib/logger.ts";
import { registerSecret } from "../lib/redaction.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";
import { parseStorageUrl } from "../storages/url.ts";
import { openStorages } from "./open-storages.ts";
import { UsageError } from "./report.ts";
import type { Terminal } from "./terminal.ts";

/** Where a command finds backups: what `--config`, `--storage` and `--identity` say. */
export interface PlaceOptions {
  /** Path of the configuration. */
  readonly path?: string;
  /** Names of the configuration, or addresses; none: all that are configured. */
  readonly storage?: readonly string[];
  /** A file of age identities. */
  readonly identity?: string;
  /** Parts of the configuration whose secrets have to be there. Default: storages, unless addresses are named. */
  readonly requires?: LoadOptions["requires"];
}

/** Storages that are open, and what is known about them: from a configuration, or from addresses alone. */
export interface Place extends AsyncDisposable {
  /** The terminal in the configuration's language. */
  readonly terminal: Terminal;
  readonly storages: readonly Storage[];
  /** Private keys that are known here. */
  readonly identities: readonly string[];
  readonly host: string;
  readonly timezone: string;
  /** Undefined on a machine without a configuration. */
  readonly config: Config | undefined;
}

/** An address begins like `s3://`; anything else is the name of a storage. */
const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/**
 * Opens what the options name; connects to nothing yet. Neither Redis nor the bot is needed, and with addresses no
 * configuration: one is read then only when it is named. Throws `UsageError`, `ConfigError`, and `config` for an address
 * or a file of identities that is none.
 */
export function openPlace(terminal: Terminal, options: PlaceOptions): Place {
  const named = options.storage ?? [];
  const addresses = named.filter(isAddress);
  const isBare = addresses.length > 0 && options.path === undefined;
  const requires = options.requires ?? (addresses.length > 0 ? [] : ["storages"]);
  const config = isBare ? undefined : loadConfig({ ...options, requires }).config;
  const own = config === undefined ? terminal : terminal.in(config.locale);
  const host = config?.worker.host ?? (environmentVariables()["WORKER_HOST"] || hostname());
  const configured = config?.encryption?.identity ?? [];
  const identities = options.identity === undefined ? [] : readIdentities(options.identity);
  const storages = openNamed(named, config, host);
  return {
    terminal: own,
    storages,
    identities: [...identities, ...configured],
    host,
    timezone: config?.timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    config,
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(storages.map((storage) => storage.close()));
    },
  };
}

function openNamed(named: readonly string[], config: Config | undefined, host: string): Storage[] {
  const logger = createLogger({ name: "cli", level: "silent" });
  const known = Object.keys(config?.storages ?? {});
  const names = named.filter((one) => !isAddress(one));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError("cli-storage-unknown", { storage: unknown, known: known.length > 0 ? known.join(", ") : "–" });
  const addresses = named.filter(isAddress);
  const opened = addresses.map((address, index) => openAddress(address, addresses, index, { logger, host }));
  if (config === undefined || (names.length === 0 && addresses.length > 0)) return opened;
  return [...openStorages(config, names.length > 0 ? names : known, logger), ...opened];
}

function openAddress(
  address: string,
  all: readonly string[],
  index: number,
  deps: Parameters<typeof createStorage>[2],
): Storage {
  const env = environmentVariables();
  for (const name of ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) registerSecret(env[name] ?? "");
  const settings = parseStorageUrl(address, env);
  // Elsewhere a missing folder is one that nothing was written to yet; here somebody says that there are backups in it.
  if (settings.kind === "local" && !statSync(settings.path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AppError("not-found", `there is no folder ${settings.path}`, {
      text: { key: "error-storage-no-folder", args: { path: settings.path } },
    });
  }
  // Without its options: a name is for reading. The same place at two servers is told apart by a number.
  const short = (text: string): string => text.replace(/[?#].*$/, "").replace(/\/+$/, "");
  const before = all.slice(0, index).filter((other) => short(other) === short(address)).length;
  return createStorage(before === 0 ? short(address) : `${short(address)} (${before + 1})`, settings, deps);
}

/** The identities in a file as `keygen` and `age-keygen` write it. */
function readIdentities(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw unreadable(file, code, error);
  }
  const found = identityLines(text);
  for (const line of found) registerSecret(line);
  if (found.length > 0 && found.every(isIdentity)) return found;
  throw new AppError("config", `${file} holds no age identities (AGE-SECRET-KEY-1...), one a line`, {
    text: { key: "error-identity-file-content", args: { file } },
  });
}

function unreadable(file: string, code: string, cause: unknown): AppError {
  return new AppError("config", `the file of identities ${file} can not be read (${code})`, {
    text: { key: "error-identity-file", args: { file, code } },
    cause,
  });
}
