import { execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { inherited } from "./environment.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { type Stack, type StackConfig, startStack } from "./stack.ts";

/** Of the checkout. */
export const root = join(import.meta.dirname, "../..");
const pm2File = join(root, "node_modules/.bin/pm2");

/** A whole installation whose settings are a folder with `vakhta.yaml` and `.env`, run by a PM2 of its own, and what a reader has. */
export interface RunbookWorld extends AsyncDisposable {
  readonly stack: Stack;
  /** A Redis of the service, not Vakhta's own. */
  readonly cache: RedisServer;
  /** The backed-up folders: of Vakhta's settings, and of files. */
  readonly settings: string;
  readonly uploads: string;
  readonly identity: string;
  readonly recipient: string;
  /** What a shell of the reader has: programs, a home with passwords, nothing of Vakhta. */
  readonly env: Readonly<Record<string, string>>;
  /** The values that a reader fills in, wherever they are asked for. */
  readonly values: Readonly<Record<string, string>>;
  /** The address of a database without its password, which is in the home. */
  database(name: string): string;
  /** Runs Vakhta's command line with the installation's settings. */
  vakhta(...args: readonly string[]): Promise<string>;
  /** `pm2 <args>`, of this world. */
  pm2(...args: readonly string[]): Promise<string>;
  writeSettings(change?: (config: StackConfig) => void, variables?: Readonly<Record<string, string>>): void;
}

/** As a configuration names a variable. */
const variable = (name: string): string => `$\{${name}}`;

export async function startRunbookWorld(
  options: { readonly token?: string; readonly bots?: { token: string }[]; readonly checkout?: string } = {},
): Promise<RunbookWorld> {
  const [cache, identity] = await Promise.all([startRedis(), generateIdentity()]);
  const recipient = await recipientOf(identity);
  let config: StackConfig = {};
  const bots = options.bots?.map((bot) => ({ ...bot, username: "watch_bot", first_name: "Vakhta" }));
  const stack = await startStack({
    ...(bots ? { sandbox: { bots } } : {}),
    configure: (made) => {
      config = made;
    },
  });
  const { folder, postgres, s3 } = stack;
  const home = join(folder, "home");
  const settings = join(folder, "etc/vakhta");
  const uploads = join(folder, "srv/uploads");
  for (const each of [home, settings, join(uploads, "below"), join(folder, "work"), join(folder, "bin")])
    mkdirSync(each, { recursive: true });
  writeFileSync(join(uploads, "below/picture"), "content");
  writeFileSync(join(home, "key.txt"), `# public key: ${recipient}\n${identity}\n`);
  writeFileSync(join(home, ".pgpass"), `127.0.0.1:${postgres.port}:*:${postgres.user}:${postgres.password}\n`);
  chmodSync(join(home, ".pgpass"), 0o600);
  writeFileSync(join(folder, "bin/apt-get"), aptGet, { mode: 0o755 });
  await postgres.createDatabase("app", "CREATE TABLE item AS SELECT generate_series(1, 500) AS id");

  const variables: Record<string, string> = {
    BOT_TOKEN: options.token ?? config["telegram"].token,
    S3_KEY: s3.accessKeyId,
    S3_SECRET: s3.secretAccessKey,
    DATABASE_URL: postgres.url("app"),
    AGE_IDENTITY: identity,
  };
  const keep = { local: "all", offsite: "all" };
  config["telegram"].token = variable("BOT_TOKEN");
  config["encryption"] = { recipients: [recipient], identity: variable("AGE_IDENTITY") };
  Object.assign(config["storages"].offsite, {
    accessKeyId: variable("S3_KEY"),
    secretAccessKey: variable("S3_SECRET"),
  });
  config["backups"] = [
    { name: "app", source: { kind: "postgres", url: variable("DATABASE_URL") }, keep },
    { name: "cache", source: { kind: "redis", url: cache.url }, keep },
    { name: "uploads", source: { kind: "files", paths: [uploads] }, keep },
    { name: "settings", source: { kind: "files", paths: [settings] }, keep },
  ];
  const configFile = join(settings, "vakhta.yaml");
  const writeSettings: RunbookWorld["writeSettings"] = (change, more = {}) => {
    stack.configure(() => change?.(config));
    cpSync(stack.configFile, configFile);
    Object.assign(variables, more);
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(settings, ".env"), `${lines.join("\n")}\n`, { mode: 0o600 });
  };
  writeSettings();

  const checkout = options.checkout ?? root;
  const env = {
    ...inherited(),
    PATH: `${join(folder, "bin")}:${postgres.programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: home,
    LANG: "C.UTF-8",
    PM2_HOME: join(folder, "pm2"),
  };
  const node = process.execPath;
  // Never synchronously: the servers of the test answer from this process.
  const run = async (file: string, args: readonly string[]): Promise<string> => {
    const options = { cwd: home, env: { ...env, VAKHTA_CONFIG: configFile } };
    return (await promisify(execFile)(node, [file, ...args], options)).stdout;
  };
  const database = (name: string): string => `postgresql://${postgres.user}@127.0.0.1:${postgres.port}/${name}`;
  return {
    stack,
    cache,
    settings,
    uploads,
    identity,
    recipient,
    env,
    database,
    values: {
      VAKHTA: checkout,
      VAKHTA_CONFIG: configFile,
      ENV: join(settings, ".env"),
      LOCAL: "local",
      OFFSITE: "offsite",
      NAMES: "app uploads",
      RESTART: `${pm2File} restart all`,
      START: `${pm2File} start ${checkout}/ecosystem.config.js`,
    },
    vakhta: async (...args) => await run(join(root, "src/cli.ts"), args),
    pm2: async (...args) => await run(pm2File, args),
    writeSettings,
    [Symbol.asyncDispose]: async () => {
      await run(pm2File, ["kill"]);
      await Promise.all([stack[Symbol.asyncDispose](), cache.stop()]);
    },
  };
}

/** Installs nothing: a test machine has the programs. Fails for a package that Debian does not call so or that is not there. */
const aptGet = `#!/bin/sh
set -eu
action=$1; shift
case "$action" in
  update) ;;
  install) for package; do case "$package" in -*) ;; *) dpkg-query --show "$package" ;; esac; done ;;
  *) echo "apt-get $action?" >&2; exit 1 ;;
esac
`;

/** An archive of this checkout as a server of sources would give it, with the packages that an installation would get. */
export function archiveOf(folder: string): string {
  const top = join(folder, "vakhta-1");
  mkdirSync(top);
  for (const file of ["package.json", "package-lock.json", "ecosystem.config.js", "deploy", "src", "jobs", "scripts"])
    cpSync(join(root, file), join(top, file), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(top, "node_modules"));
  const archive = join(folder, "vakhta.tar.gz");
  execFileSync("tar", ["--create", "--gzip", "--file", archive, "--directory", folder, "vakhta-1"]);
  return archive;
}
