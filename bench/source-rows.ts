import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { processorMs } from "./cpu.ts";
import { Pipes, type Timed } from "./pipes.ts";
import type { RowId } from "./source-report.ts";
import type { SourceWorld } from "./source-world.ts";
import { makeLargeFile, makeTree } from "./trees.ts";
import type { BenchWorker } from "./worker.ts";

export interface Row {
  readonly id: RowId;
  readonly title: string;
  run(): Promise<Timed>;
}

/** What is compared of one source. */
export interface Compared {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly worker: BenchWorker;
  /** Processor time of the servers so far. */
  readonly serverCpuMs: () => number;
}

type Say = (line: string) => void;

/** A tree of 100,000 small files. */
export async function filesRows(world: SourceWorld, scale: number, say: Say): Promise<Compared> {
  const files = Math.round(100_000 * scale);
  say(`making ${files} files`);
  await makeTree(join(world.folder, "data"), files);
  return await treeRows(world, `${files} small files`, false);
}

/** One file of 2 GB that can not be compressed. */
export async function largeRows(world: SourceWorld, scale: number, say: Say): Promise<Compared> {
  const bytes = Math.round(2e9 * scale);
  say(`making a file of ${bytes / 1e6} MB`);
  await makeLargeFile(join(world.folder, "data"), bytes);
  return await treeRows(world, `an incompressible file of ${bytes / 1e6} MB`, true);
}

async function treeRows(world: SourceWorld, title: string, encrypted: boolean): Promise<Compared> {
  const source = { kind: "files", paths: [join(world.folder, "data")] };
  const worker = await world.startWorker({ files: { source }, sealed: { source, encrypt: true } });
  // An archive of the same properties: times below the second, holes, attributes.
  const line = `tar -C "$(dirname "$FILE")" -c --format=posix --sparse --xattrs --acls ./data | zstd -q -3 -T0`;
  return {
    title,
    worker,
    serverCpuMs: () => processorMs(world.s3.pid()),
    rows: [
      ...pipeRows(world, line, "tar | zstd -3 -T0"),
      { id: "vakhta", title: "Vakhta, whole job", run: () => worker.backUp("files") },
      ...(encrypted
        ? [{ id: "encrypted" as const, title: "Vakhta + encryption", run: () => worker.backUp("sealed") }]
        : []),
    ],
  };
}

/** Its verdict is lost here, as in most scripts. */
const checking = "tee >(redis-check-rdb /dev/stdin > /dev/null)";

/** A Redis of a million keys. */
export async function redisRows(world: SourceWorld, scale: number, say: Say): Promise<Compared> {
  const keys = Math.round(1_000_000 * scale);
  // A server waits five seconds for further replicas unless told: that would hide what is measured.
  const server = await startRedis({ appendOnly: false, settings: { "repl-diskless-sync-delay": "0" } });
  world.defer(() => server.stop());
  say(`writing ${keys} keys`);
  const client = new Redis(server.port);
  const script =
    "for i = ARGV[1], ARGV[2] do redis.call('SET', 'session:' .. i, redis.sha1hex(i) .. redis.sha1hex(-i)) end";
  for (let key = 0; key < keys; key += 10_000) await client.eval(script, 0, key, Math.min(keys, key + 10_000) - 1);
  await client.quit();
  const worker = await world.startWorker({ redis: { source: { kind: "redis", url: server.url } } });
  const line = `redis-cli -p ${server.port} --rdb - | zstd -q -3 -T0`;
  return {
    title: `Redis, ${keys} keys`,
    worker,
    serverCpuMs: () => processorMs(world.s3.pid()) + processorMs(server.pid()),
    rows: [
      {
        id: "plain",
        title: "redis-cli --rdb file",
        run: () => withPipes(world, (pipes) => pipes.toFile(`redis-cli -p ${server.port} --rdb -`)),
      },
      ...pipeRows(world, line, "redis-cli --rdb - | zstd -3 -T0"),
      {
        id: "checked",
        title: "(c) redis-cli --rdb - | tee >(redis-check-rdb) | zstd -3 -T0 | tee file | upload",
        run: () => withPipes(world, (pipes) => pipes.toFileAndBucket(line.replace("|", `| ${checking} |`))),
      },
      { id: "vakhta", title: "Vakhta, whole job", run: () => worker.backUp("redis") },
    ],
  };
}

function pipeRows(world: SourceWorld, line: string, title: string): Row[] {
  return [
    { id: "bare", title: `(a) ${title} > file`, run: () => withPipes(world, (pipes) => pipes.toFile(line)) },
    {
      id: "pair",
      title: `(b) ${title} | tee file | upload`,
      run: () => withPipes(world, (pipes) => pipes.toFileAndBucket(line)),
    },
  ];
}

async function withPipes(world: SourceWorld, action: (pipes: Pipes) => Promise<Timed>): Promise<Timed> {
  using pipes = new Pipes(world);
  return await action(pipes);
}
