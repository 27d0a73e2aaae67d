import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { generateIdentity, recipientOf } from "../src/lib/crypto.ts";
import { type PostgresServer, startPostgres } from "../src/sandbox/servers/postgres.ts";
import { type RedisServer, startRedis } from "../src/sandbox/servers/redis.ts";
import { type S3Server, startS3 } from "../src/sandbox/servers/s3.ts";
import { type BenchDatabase, createBenchDatabase } from "./database.ts";
import { type BenchWorker, startWorker } from "./worker.ts";

/** The backups of the benchmark's configuration: what is switched on. All of them go to `local` and to `offsite`. */
const backups = {
  plain: { counts: "off", encrypt: false },
  encrypted: { counts: "off", encrypt: true },
  counted: { counts: "exact", encrypt: false },
  full: { counts: "exact", encrypt: true },
} as const;

export type BackupName = keyof typeof backups;
export const backupNames = Object.keys(backups) as BackupName[];

/** Servers, a database, and a worker that is the real process with the real configuration. */
export interface BenchWorld extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly database: BenchDatabase;
  /** For files of the compared methods; on the disk where the worker's local copies are. */
  readonly folder: string;
  startWorker(): Promise<BenchWorker>;
}

/** As a server of this size would be set up; only replication is off, so that loading needs no write-ahead log. */
const postgresSettings = {
  fsync: "on",
  full_page_writes: "on",
  shared_buffers: "1GB",
  maintenance_work_mem: "256MB",
  max_wal_size: "4GB",
  wal_level: "minimal",
  max_wal_senders: "0",
};

/** Starts private servers and generates the database. `say` gets a line about each step. */
export async function startBenchWorld(megabytes: number, say: (line: string) => void): Promise<BenchWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const postgres = await startPostgres({ settings: postgresSettings });
    stops.push(() => postgres.stop());
    const s3 = await startS3();
    stops.push(() => s3.stop());
    say(`generating a database of about ${megabytes} MB`);
    const database = await createBenchDatabase(postgres, "bench", megabytes);
    const file = await writeConfig(folder, { redis, s3, databaseUrl: database.url });
    return {
      postgres,
      s3,
      database,
      folder,
      async startWorker() {
        const start = async (): Promise<BenchWorker> => {
          const worker = await startWorker(file);
          stops.push(() => worker.stop());
          return worker;
        };
        // The first one compiles the sources; every later one finds the compiled code.
        const first = await start();
        await first.backUp("full");
        await first.stop();
        return await start();
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Places {
  readonly redis: RedisServer;
  readonly s3: S3Server;
  readonly databaseUrl: string;
}

async function writeConfig(folder: string, { redis, s3, databaseUrl }: Places): Promise<string> {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  const path = join(folder, "local");
  await mkdir(path);
  const settings = {
    redis: { url: redis.url },
    http: { port: 0, workerPort: 0 },
    storages: {
      local: { kind: "local", path },
      offsite: { kind: "s3", endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle: true },
    },
    encryption: { recipients: [await recipientOf(await generateIdentity())] },
    backups: Object.entries(backups).map(([name, { counts, encrypt }]) => ({
      name,
      encrypt,
      source: { kind: "postgres", url: databaseUrl, counts },
    })),
  };
  const file = join(folder, "vakhta.yaml");
  await writeFile(file, stringify(settings), { mode: 0o600 });
  return file;
}
