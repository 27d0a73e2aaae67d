import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { findTool } from "../../lib/environment.ts";
import { type Conversation, converse, run } from "../../lib/process.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import type { Connection } from "./connection.ts";
import { serverFolders } from "./tools.ts";
import { parseUrl } from "./url.ts";

const startWithinMs = 120_000;
const stopWithinMs = 10_000;
const user = "postgres";
const socketPrefix = "vakhta-pg-";
/** Bytes that a socket's path may have. */
const longestSocket = 107;

/** Fast, and nothing is lost that anybody wants: it is thrown away. Room for many locks, so that a restore is one transaction. */
const settings = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  port: "5432",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  archive_mode: "off",
  autovacuum: "off",
  shared_buffers: "128MB",
  maintenance_work_mem: "128MB",
  max_wal_size: "2GB",
  max_connections: "20",
  max_locks_per_transaction: "2048",
  log_min_messages: "fatal",
  log_min_error_statement: "panic",
  lc_messages: "C",
};

/** A PostgreSQL that only this process's user can reach, and that ends with this process. */
export interface PrivateServer extends AsyncDisposable {
  readonly connection: Connection;
  readonly major: number;
}

export interface PrivateServerOptions {
  /** An existing folder of this test-restore alone; the server works in a folder below it. */
  readonly folder: string;
  /** The major version that was backed up. */
  readonly major: number;
  readonly signal: AbortSignal;
}

/**
 * Starts a server of the same major version if its programs are installed, else of the newest one, never an older one
 * (`tool-missing`). No network: a socket in a folder that nobody else may enter. Disposing ends it and removes all of it;
 * when this process is killed the kernel ends it.
 */
export async function startPrivateServer({ folder, major, signal }: PrivateServerOptions): Promise<PrivateServer> {
  const programs = choosePrograms(major);
  const as = await unprivileged();
  const home = join(folder, "postgres");
  await makeFolder(home, as);
  let sockets = home;
  let server: Conversation | undefined;
  const end = async (): Promise<void> => {
    if (server !== undefined) await stop(server);
    await rm(home, { recursive: true, force: true });
    if (sockets !== home) await rm(sockets, { recursive: true, force: true });
  };
  try {
    await requireAccess(home, as, signal);
    sockets = await socketFolder(home, as);
    const data = join(home, "data");
    const command = (program: string, args: readonly string[], prefix: readonly string[]): Command => ({
      argv: [...prefix, join(programs.path, program), ...args],
      step: program,
      cwd: home,
    });
    const cluster = [
      "--encoding=UTF8",
      "--locale=C",
      "--auth=trust",
      `--username=${user}`,
      "--no-sync",
      "--no-instructions",
    ];
    await run(command("initdb", ["--pgdata", data, ...cluster], as.prefix), { signal, timeoutMs: startWithinMs });
    const given = Object.entries({ ...settings, unix_socket_directories: sockets });
    const args = ["-D", data, ...given.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    // Not ended by the signal: whatever happens it is ended below, at once and after its clients.
    server = converse(command("postgres", args, as.serverPrefix));
    server.stdout.resume();
    await waitUntilReady(server, join(data, "postmaster.pid"), signal);
    return { connection: connectionTo(sockets), major: programs.major, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Whom the server runs as. */
interface Unprivileged {
  readonly uid?: number;
  readonly gid?: number;
  /** Makes a program run as that user. */
  readonly prefix: readonly string[];
  /** The same for the server, which ends with this process. */
  readonly serverPrefix: readonly string[];
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that user does not exist. */
async function unprivileged(): Promise<Unprivileged> {
  const setpriv = findTool("setpriv");
  const ending = setpriv === undefined ? [] : ["--pdeathsig", "INT"];
  if (process.getuid?.() !== 0) return { prefix: [], serverPrefix: setpriv === undefined ? [] : [setpriv, ...ending] };
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const [name, , uid, gid] = users.find(([each]) => each === user) ?? users.find(([each]) => each === "nobody") ?? [];
  if (setpriv === undefined || name === undefined) {
    throw new AppError(
      "tool-missing",
      "PostgreSQL does not run as root: setpriv (util-linux) and a user postgres are needed",
      {
        context: { step: "postgres", tool: "setpriv" },
        text: { key: "error-private-root" },
      },
    );
  }
  const identity = ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
  return {
    uid: Number(uid),
    gid: Number(gid),
    prefix: [setpriv, ...identity],
    // In the same call: a change of the user undoes what was asked for before it.
    serverPrefix: [setpriv, ...identity, ...ending],
  };
}

async function makeFolder(path: string, { uid, gid }: Unprivileged): Promise<void> {
  // What a killed process has left there.
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { mode: 0o700 });
  await chmod(path, 0o700);
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

async function requireAccess(home: string, as: Unprivileged, signal: AbortSignal): Promise<void> {
  if (as.prefix.length === 0) return;
  await run({ argv: [...as.prefix, "test", "-w", home], step: "test", cwd: "/" }, { signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error;
      const folder = dirname(home);
      throw new AppError(
        "conflict",
        `user ${user} can not enter ${folder}: choose a scratch folder whose parents everybody may enter`,
        {
          context: { step: "postgres", folder },
          text: { key: "error-private-folder", args: { folder, user } },
          cause: error,
        },
      );
    },
  );
}

/** Where the socket is: its path must be short. A folder elsewhere is removed by the next start when this one can not. */
async function socketFolder(home: string, { uid, gid }: Unprivileged): Promise<string> {
  const root = tmpdir();
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(socketPrefix)) continue;
    const owner = await readFile(join(root, name, "owner"), "utf8").catch(() => "");
    if (owner !== "" && hasEnded(owner)) await rm(join(root, name), { recursive: true, force: true });
  }
  if (Buffer.byteLength(join(home, ".s.PGSQL.5432.lock")) <= longestSocket) return home;
  const folder = await mkdtemp(join(root, socketPrefix));
  await writeFile(join(folder, "owner"), processIdentity());
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}

async function waitUntilReady(server: Conversation, pidFile: string, signal: AbortSignal): Promise<void> {
  let ended = false;
  const failed = server.done.finally(() => {
    ended = true;
  });
  failed.catch(() => undefined);
  const until = performance.now() + startWithinMs;
  while (!ended && performance.now() < until) {
    signal.throwIfAborted();
    // Its last line is the state, as pg_ctl reads it too.
    const state = await readFile(pidFile, "utf8").catch(() => "");
    if (/^ready/m.test(state)) return;
    await delay(50);
  }
  if (ended) await failed;
  throw new AppError("tool-failed", `postgres was not ready within ${startWithinMs / 1000} s`, {
    permanent: false,
    context: { step: "postgres" },
    text: { key: "error-tool-slow", args: { step: "postgres", seconds: startWithinMs / 1000 } },
  });
}

async function stop(server: Conversation): Promise<void> {
  const ended = server.done.catch(() => undefined);
  const signalTo = (name: NodeJS.Signals): void => {
    try {
      if (server.pid !== undefined) process.kill(server.pid, name);
    } catch {
      // It has ended.
    }
  };
  // At once, without writing down what is removed anyway.
  signalTo("SIGQUIT");
  const timer = setTimeout(() => signalTo("SIGKILL"), stopWithinMs);
  await ended;
  clearTimeout(timer);
}

function connectionTo(sockets: string): Connection {
  const target = parseUrl(`postgresql://${user}@/postgres?host=${encodeURIComponent(sockets)}&port=${settings.port}`);
  if ("problem" in target) throw new AppError("internal", target.problem);
  return {
    options: {},
    database: "postgres",
    url: (application, database) => target.url({ application_name: application }, database),
  };
}

function choosePrograms(major: number): { readonly major: number; readonly path: string } {
  const folders = serverFolders();
  const found = folders.find((each) => each.major === major) ?? folders.findLast((each) => each.major > major);
  if (found !== undefined) return found;
  // Elsewhere than Debian keeps them; initdb itself refuses what does not fit together.
  const initdb = findTool("initdb");
  if (folders.length === 0 && initdb !== undefined && existsSync(join(dirname(initdb), "postgres")))
    return { major, path: dirname(initdb) };
  const remedy = `apt-get install postgresql-${major}`;
  throw new AppError(
    "tool-missing",
    `there is no PostgreSQL ${major} server on this machine for a test-restore: ${remedy}`,
    {
      context: { step: "initdb" },
      text: { key: "error-private-missing", args: { major: String(major), remedy } },
    },
  );
}
