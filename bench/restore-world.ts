import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { S3 } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { type Manifest, runFolder } from "../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../src/lib/crypto.ts";
import { createLogger } from "../src/lib/logger.ts";
import { type PostgresServer, startPostgres } from "../src/sandbox/servers/postgres.ts";
import { startS3 } from "../src/sandbox/servers/s3.ts";
import { runBackup } from "../src/services/backup/pipeline.ts";
import { createSource, sourceSchema } from "../src/sources/index.ts";
import { createStorage, storageSchema } from "../src/storages/index.ts";
import type { Storage } from "../src/storages/types.ts";
import { processorMs } from "./cpu.ts";
import { type BenchDatabase, createBenchDatabase } from "./database.ts";

/** As a server of this size would be set up, with replication as it is out of the box. */
const postgresSettings = {
  fsync: "on",
  full_page_writes: "on",
  shared_buffers: "1GB",
  max_wal_size: "4GB",
};

/** The user whose client reconnects all the time, without a password. */
export const hammerUser = "hammer";

/** A backup in a storage: what a restore begins with. */
export interface StoredBackup {
  readonly storage: object;
  readonly manifest: Manifest;
  readonly identity?: string;
}

export const backupNames = ["offsite", "encrypted", "local"] as const;
export type BackupName = (typeof backupNames)[number];

/** Servers, a database, its backups, and what the bare ways restore from. */
export interface RestoreWorld extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly database: BenchDatabase;
  readonly backups: Readonly<Record<BackupName, StoredBackup>>;
  /** Presigned: of the dump as it is in the backup, and of what `pg_dump | gzip` writes. */
  readonly urls: { readonly dump: string; readonly script: string };
  /** Bytes of these objects. */
  readonly bytes: { readonly dump: number; readonly script: number; readonly raw: number };
  /** For files of the compared ways. */
  readonly folder: string;
  /** Runs a shell line as a script would have it; a failure anywhere in a pipe fails it. */
  shell(line: string, env?: Readonly<Record<string, string>>): Promise<void>;
  /** Milliseconds of processor time so far: of the servers' sessions that have ended, and of what was started from here. */
  processorMs(): number;
}

const nothing = async (): Promise<void> => undefined;
const observer = { phase: nothing, title: nothing, opened: nothing, closed: nothing, left: nothing, progress() {} };

/** Starts private servers, generates the database and backs it up. `say` gets a line about each step. */
export async function startRestoreWorld(megabytes: number, say: (line: string) => void): Promise<RestoreWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-restore-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o711);
    const postgres = await startPostgres({ settings: postgresSettings });
    stops.push(() => postgres.stop());
    const s3 = await startS3();
    stops.push(() => s3.stop());
    say(`generating a database of about ${megabytes} MB`);
    const database = await createBenchDatabase(postgres, "bench", megabytes);
    await letIn(postgres);
    const shell = shellFor(postgres, folder);
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
    const offsite = { kind: "s3", endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle: true };
    const local = { kind: "local", path: join(folder, "store") };
    const identity = await generateIdentity();
    const stored = openStorage(offsite);
    say("backing it up");
    const backUp = async (storage: object, runId: string, sealed = false): Promise<StoredBackup> => {
      const recipients = sealed ? [await recipientOf(identity)] : [];
      const manifest = await backUpInto(openStorage(storage), { url: database.url, runId, recipients });
      return { storage, manifest, ...(sealed ? { identity } : {}) };
    };
    const backups = {
      offsite: await backUp(offsite, "offsite"),
      encrypted: await backUp(offsite, "encrypted", true),
      local: await backUp(local, "local"),
    };
    const artifact = backups.offsite.manifest.parts.find(({ role }) => role === "artifact");
    const dumpKey = `${folderOf(backups.offsite.manifest)}${artifact?.file}`;
    const scriptKey = "script/bench.sql.gz";
    const script = join(folder, "bench.sql.gz");
    await shell('"$BIN/pg_dump" -d bench | gzip > "$FILE"', { FILE: script });
    const { size } = await stat(script);
    const client = new S3({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    await new Upload({ client, params: { Bucket: bucket, Key: scriptKey, Body: createReadStream(script) } }).done();
    client.destroy();
    await rm(script);
    return {
      postgres,
      database,
      backups,
      urls: { dump: await presigned(stored, dumpKey), script: await presigned(stored, scriptKey) },
      bytes: { dump: artifact?.bytes ?? 0, script: size, raw: artifact?.rawBytes ?? 0 },
      folder,
      shell,
      processorMs: () => [process.pid, postgres.pid(), s3.pid()].reduce((sum, pid) => sum + processorMs(pid), 0),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A storage by its configuration. */
export function openStorage(config: object): Storage {
  const logger = createLogger({ name: "bench", level: "silent" });
  return createStorage("bench", storageSchema.parse(config), { logger, host: "bench" });
}

function folderOf({ name, startedAt, id }: Manifest): string {
  return runFolder(name, new Date(startedAt), id);
}

async function backUpInto(
  storage: Storage,
  order: { readonly url: string; readonly runId: string; readonly recipients: readonly string[] },
): Promise<Manifest> {
  const { url, runId, recipients } = order;
  const logger = createLogger({ name: "bench", level: "silent" });
  const clock = { now: () => new Date() };
  const source = createSource(sourceSchema.parse({ kind: "postgres", url }), { clock, logger });
  const startedAt = new Date();
  const { manifest } = await runBackup({
    runId,
    name: "bench",
    startedAt,
    folder: runFolder("bench", startedAt, runId),
    source,
    recipients,
    storages: [storage],
    observer,
    clock,
    signal: new AbortController().signal,
    host: "bench",
    version: "bench",
  });
  return manifest;
}

async function presigned(storage: Storage, key: string): Promise<string> {
  const url = await storage.presign?.(key, 86_400);
  if (url === undefined) throw new Error("this storage makes no links");
  return url;
}

/** As an application that was configured before the restore began: it may connect without being asked for a password. */
async function letIn(postgres: PostgresServer): Promise<void> {
  const rights = join(postgres.folder, "data/pg_hba.conf");
  const line = `host all ${hammerUser} 127.0.0.1/32 trust\n`;
  await writeFile(rights, `${line}${await readFile(rights, "utf8")}`);
  await postgres.psql("postgres", `CREATE ROLE ${hammerUser} LOGIN; SELECT pg_reload_conf()`);
}

function shellFor(postgres: PostgresServer, folder: string): RestoreWorld["shell"] {
  const { host, port, user, password, programs } = postgres;
  return async (line, more = {}) => {
    const child = spawn("bash", ["-o", "pipefail", "-ec", line], {
      cwd: folder,
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LC_ALL: "C.UTF-8",
        BIN: programs,
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        ...more,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    if (code !== 0) throw new Error(`${line} ended with ${code}: ${complaint}`);
  };
}
