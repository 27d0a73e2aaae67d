import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { makePrivateFolder, type Owner, removeFolder, withFreePort } from "./private-folder.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** What may be chosen about a private PostgreSQL. */
export interface PostgresServerOptions {
  /** The major version; the newest installed one unless told. */
  readonly major?: number;
  /** Further settings, such as `{ shared_buffers: "512MB" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For many short-lived ones: the first is made as ever and kept there, the others begin as copies of it. */
  readonly template?: PostgresTemplate;
  /**
   * How the superuser's password is kept; `scram-sha-256` unless told. Its 4,096 rounds cost client and server 18 ms of
   * processor time with each connection, `md5` none. Roles that are made later have `scram-sha-256` in any case.
   */
  readonly superuserPassword?: "scram-sha-256" | "md5";
}

/** What the copies of one cluster have in common, beside the identifier of the system that PostgreSQL gives to each. */
export interface PostgresTemplate {
  /** Made by whoever comes first; its parent must be there. */
  readonly folder: string;
  /** Of the superuser. */
  readonly password: string;
}

/** A private PostgreSQL cluster on a free port of 127.0.0.1, in a temporary folder; nothing of it survives `stop()`. */
export interface PostgresServer extends AsyncDisposable {
  readonly major: number;
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** The superuser and its password: connections by TCP need it. */
  readonly user: string;
  readonly password: string;
  /** Where `psql`, `pg_dump` and the others of the same major are. */
  readonly programs: string;
  /** The URL of a database, for the superuser or for another user with a password. */
  url(database?: string, user?: string, password?: string): string;
  /** Runs SQL by `psql` as the superuser, stops at the first error (which it throws), returns rows as `a|b` lines. */
  psql(database: string, sql: string): Promise<string>;
  /** Creates a database, runs SQL in it when some is given, and returns its URL. */
  createDatabase(name: string, sql?: string): Promise<string>;
  /** Ends it at once, if it runs, with an error for whoever is connected, and starts it again on the same port. */
  restart(): Promise<void>;
  /** Ends it at once; `restart()` brings it back. */
  kill(): Promise<void>;
  /** The server's process: another one after a restart. */
  pid(): number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const debianRoot = "/usr/lib/postgresql";

/** Debian keeps each major in a folder of its own, outside the PATH: what is on the PATH chooses by cluster instead. */
function findPrograms(major?: number): { major: number; programs: string } {
  const majors = existsSync(debianRoot) ? readdirSync(debianRoot).map(Number).filter(Number.isInteger) : [];
  const found = majors
    .sort((a, b) => b - a)
    .find((each) => (major ?? each) === each && existsSync(join(debianRoot, String(each), "bin/initdb")));
  if (!found)
    throw new Error(`No PostgreSQL${major ? ` ${major}` : ""} server below ${debianRoot}: apt-get install postgresql`);
  return { major: found, programs: join(debianRoot, String(found), "bin") };
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that user does not exist. */
async function findOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody") ?? [];
  if (!uid || !gid) throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody.");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Fast, and proof against the end of the server, but not of the machine: commits still reach the operating system. */
const fastSettings = {
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "64MB",
  max_connections: "50",
  lc_messages: "C",
  // Whatever the superuser's own is kept as.
  password_encryption: "scram-sha-256",
};

/** Creates and starts a private cluster. Throws when no server of that major is installed or it does not start. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const { major, programs } = findPrograms(options.major);
  const owner = await findOwner();
  const folder = await makePrivateFolder("postgres", owner);
  const data = join(folder, "data");
  const user = "postgres";
  const { template, superuserPassword: login = "scram-sha-256" } = options;
  const password = template?.password ?? randomBytes(18).toString("base64url");
  const start = (port: number) => {
    const all = {
      ...fastSettings,
      ...options.settings,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: folder,
    };
    const settings = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    return startServerProcess({
      command: join(programs, "postgres"),
      args: ["-D", data, "-p", String(port), ...settings],
      cwd: folder,
      owner,
      ready: /database system is ready to accept connections/,
      stopSignal: "SIGQUIT",
      folder,
    });
  };

  let port = 0;
  let process: ServerProcess;
  try {
    if (template && existsSync(template.folder)) await copyTree(template.folder, data);
    else {
      await initialise({ programs, folder, data, user, password, login, owner });
      if (template) await keep(data, template.folder);
    }
    process = await withFreePort((free) => {
      port = free;
      return start(free);
    });
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }

  const url = (database = "postgres", as = user, secret = password) =>
    `postgresql://${encodeURIComponent(as)}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const psql = (database: string, sql: string) =>
    runPsql(join(programs, "psql"), { host: "127.0.0.1", port, user, password, database }, sql);
  const stop = async () => {
    await process.stop();
    await removeFolder(folder);
  };
  return {
    major,
    host: "127.0.0.1",
    port,
    folder,
    user,
    password,
    programs,
    url,
    psql,
    async createDatabase(name, sql) {
      // By the log, which is what it does unless told from 15 on, it takes the server twice the processor time.
      const how = major >= 15 ? " STRATEGY file_copy" : "";
      await psql("postgres", `CREATE DATABASE "${name.replaceAll('"', '""')}"${how}`);
      if (sql) await psql(name, sql);
      return url(name);
    },
    async restart() {
      await process.stop("SIGINT");
      process = await start(port);
    },
    kill: () => process.stop(),
    pid: () => process.pid,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** With its owners and modes, which PostgreSQL looks at. */
async function copyTree(from: string, to: string): Promise<void> {
  await run("cp", ["-a", from, to]);
}

/** Whole or not at all: others look for it at any time. */
async function keep(data: string, folder: string): Promise<void> {
  const unfinished = `${folder}.${randomBytes(6).toString("hex")}`;
  await copyTree(data, unfinished);
  try {
    await rename(unfinished, folder);
  } catch {
    // Somebody else was first.
    await removeFolder(unfinished);
  }
}

interface NewCluster {
  readonly programs: string;
  readonly folder: string;
  readonly data: string;
  readonly user: string;
  readonly password: string;
  readonly login: string;
  readonly owner: Owner | undefined;
}

async function initialise({ programs, folder, data, user, password, login, owner }: NewCluster): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner) await chown(passwordFile, owner.uid, owner.gid);
  const rights = ["--auth-local=peer", `--auth-host=${login}`, `--username=${user}`, `--pwfile=${passwordFile}`];
  const settings = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"];
  await run(join(programs, "initdb"), ["--pgdata", data, ...rights, ...settings], { cwd: folder, ...owner });
}

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

async function runPsql(command: string, to: Connection, sql: string): Promise<string> {
  const where = ["--host", to.host, "--port", String(to.port), "--username", to.user, "--dbname", to.database];
  const how = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--file=-"];
  // The password in the environment, which only this user can read, not among the arguments, which everybody can.
  const child = spawn(command, [...where, ...how], { cwd: "/", env: { PGPASSWORD: to.password, LC_ALL: "C.UTF-8" } });
  // A psql that ends early closes its input: its own message is the one to tell.
  child.stdin.on("error", () => undefined);
  child.stdin.end(sql);
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`psql ended with ${code}: ${complaint.trim()}`);
  return output.trimEnd();
}
