import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { generateIdentity, recipientOf } from "../src/lib/crypto.ts";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { type S3Server, startS3 } from "../src/sandbox/servers/s3.ts";
import { type BenchWorker, startWorker } from "./worker.ts";

/** A folder, an S3 server for the copies, and workers: what every source needs to be measured. */
export interface SourceWorld extends AsyncDisposable {
  readonly folder: string;
  readonly s3: S3Server;
  /** To be called at the end, the last first. */
  defer(stop: () => Promise<unknown>): void;
  /** A worker of its own for these sources, by the backup's name: all go to a local folder and to the S3 server. */
  startWorker(sources: Readonly<Record<string, BenchSource>>): Promise<BenchWorker>;
}

export interface BenchSource {
  readonly source: object;
  readonly encrypt?: boolean;
}

export async function startSourceWorld(): Promise<SourceWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, "local"));
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const s3 = await startS3();
    stops.push(() => s3.stop());
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
    const recipient = await recipientOf(await generateIdentity());
    return {
      folder,
      s3,
      defer: (stop) => void stops.push(stop),
      async startWorker(sources) {
        const settings = {
          redis: { url: redis.url },
          http: { port: 0, workerPort: 0 },
          storages: {
            local: { kind: "local", path: join(folder, "local") },
            offsite: { kind: "s3", endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle: true },
          },
          encryption: { recipients: [recipient] },
          backups: Object.entries(sources).map(([name, { source, encrypt = false }]) => ({ name, encrypt, source })),
        };
        const file = join(folder, "vakhta.yaml");
        await writeFile(file, stringify(settings), { mode: 0o600 });
        const worker = await startWorker(file);
        stops.push(() => worker.stop());
        return worker;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
