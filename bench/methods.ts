import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { S3 } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { BenchWorker } from "./worker.ts";
import type { BackupName, BenchWorld } from "./world.ts";

/** One measured run. `bytes` of the artifact, where there is one. */
export interface Sample {
  readonly ms: number;
  readonly bytes?: number;
}

/** Something that is measured: `run` does it once and cleans up outside of the measured time. */
export interface Method {
  readonly id: "floor" | "pipe" | "script" | BackupName;
  readonly title: string;
  run(): Promise<Sample>;
}

/** Everything that is compared, in the order of the table. */
export function methods(world: BenchWorld, worker: BenchWorker): Method[] {
  const vakhta = (id: BackupName, title: string): Method => ({ id, title, run: () => worker.backUp(id) });
  const upload = createUploader(world);
  return [
    {
      id: "floor",
      title: "floor: pg_dump -Fc -Z0 > /dev/null",
      run: () => timed(() => shell(world, '"$PG_DUMP" -Fc -Z0 -d "$DATABASE" > /dev/null')),
    },
    {
      id: "pipe",
      title: "(a) pg_dump -Fc -Z0 | zstd -3 -T0 > file",
      run: () =>
        withFile(world, "a.dump.zst", (file) =>
          timed(() => shell(world, '"$PG_DUMP" -Fc -Z0 -d "$DATABASE" | zstd -q -3 -T0 > "$FILE"', file)),
        ),
    },
    {
      id: "script",
      title: "(b) pg_dump | gzip > file, then upload",
      run: () =>
        withFile(world, "b.sql.gz", (file) =>
          timed(async () => {
            await shell(world, '"$PG_DUMP" -d "$DATABASE" | gzip > "$FILE"', file);
            await upload(file);
          }),
        ),
    },
    vakhta("plain", "Vakhta, whole job"),
    vakhta("encrypted", "Vakhta + encryption"),
    vakhta("counted", "Vakhta + exact counts"),
    vakhta("full", "Vakhta + encryption + exact counts"),
  ];
}

async function timed(action: () => Promise<void>): Promise<Sample> {
  const started = performance.now();
  await action();
  return { ms: performance.now() - started };
}

async function withFile(world: BenchWorld, name: string, action: (file: string) => Promise<Sample>): Promise<Sample> {
  const file = join(world.folder, name);
  try {
    const { ms } = await action(file);
    return { ms, bytes: (await stat(file)).size };
  } finally {
    await rm(file, { force: true });
  }
}

/** Runs a shell line as a script would have it; a failure anywhere in the pipe fails it. */
async function shell({ postgres, database }: BenchWorld, line: string, file = ""): Promise<void> {
  const url = new URL(database.url);
  url.password = "";
  const child = spawn("bash", ["-o", "pipefail", "-c", line], {
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      LC_ALL: "C.UTF-8",
      PG_DUMP: join(postgres.programs, "pg_dump"),
      PGPASSWORD: postgres.password,
      DATABASE: url.href,
      FILE: file,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (code !== 0) throw new Error(`${line} ended with ${code}: ${complaint}`);
}

/** The SDK's own upload with its own defaults, in a process that has it loaded: starting a tool would come on top. */
function createUploader({ s3 }: BenchWorld): (file: string) => Promise<void> {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3({ endpoint, region, credentials, forcePathStyle: true });
  return async (file) => {
    const params = { Bucket: bucket, Key: "script/b.sql.gz", Body: createReadStream(file) };
    await new Upload({ client, params }).done();
  };
}
