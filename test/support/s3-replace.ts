import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReplacementIdentity } from "../../src/core/replacement.ts";
import type { PipelineResult } from "../../src/services/backup/pipeline.ts";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import type {
  Beside,
  BesideOrder,
  ReplacementContext,
  ReplacementOrder,
  Replacer,
} from "../../src/sources/replacement.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { quiet, storageOf, temporaryFolder } from "./backup.ts";
import { Backups } from "./bucket.ts";
import { Memory } from "./replace.ts";
import { memoryConfig } from "./s3-memory.ts";
import { startVersionedS3, type VersionedS3 } from "./s3-versions.ts";

/** A replacer of a bucket, as the program would make it. */
export function bucketReplacer(config: object, order: Partial<ReplacementOrder> = {}): Replacer {
  const replacer = kindOf("s3").replacer?.(sourceSchema.parse(config), { id: "r1", logger: quiet, ...order });
  if (replacer === undefined) throw new Error("this kind does not replace");
  return replacer;
}

/** The same next to it. */
export function bucketBeside(config: object, order: Partial<BesideOrder> = {}): Beside {
  const beside = kindOf("s3").beside?.(sourceSchema.parse(config), { id: "r1", logger: quiet, to: "again/", ...order });
  if (beside === undefined) throw new Error("this kind does not restore beside");
  return beside;
}

export interface BucketWorld extends AsyncDisposable {
  readonly s3: VersionedS3;
  readonly config: Record<string, unknown>;
  readonly backups: Backups;
  /** Where the backups lie. */
  readonly store: string;
  readonly folder: string;
  readonly identity: ReplacementIdentity;
  readonly memory: Memory;
  /** Of the newest backup. */
  reader(): BackupReader;
  /** What is there is backed up. */
  backUp(): Promise<PipelineResult>;
  context(more?: Partial<ReplacementContext>): ReplacementContext;
}

/** A bucket with versions, a backup of it, and the memory of one order. */
export async function bucketWorld(
  objects: Readonly<Record<string, string>>,
  options: { readonly pageSize?: number; readonly config?: object; readonly seconds?: boolean } = {},
): Promise<BucketWorld> {
  const s3 = await startVersionedS3(options);
  s3.seconds = options.seconds ?? false;
  const folder = temporaryFolder();
  const store = join(folder.path, "store");
  mkdirSync(store);
  const config = memoryConfig(s3, options.config);
  const backups = new Backups([storageOf("local", { kind: "local", path: store })]);
  for (const [key, body] of Object.entries(objects)) s3.put(key, body, { "content-type": "text/plain" });
  const memory = new Memory();
  let newest: PipelineResult | undefined;
  const world: BucketWorld = {
    s3,
    config,
    backups,
    store,
    folder: folder.path,
    memory,
    identity: {
      system: s3.endpoint,
      database: `memory/${String((options.config as { prefix?: string })?.prefix ?? "")}`,
    },
    reader: () => {
      if (!newest) throw new Error("no backup");
      return backups.reader(newest);
    },
    async backUp() {
      newest = await backups.make(config);
      writeFileSync(join(folder.path, "manifest.json"), JSON.stringify(newest.manifest));
      return newest;
    },
    context: (more = {}) => memory.context(world.identity, { reader: world.reader(), ...more }),
    async [Symbol.asyncDispose]() {
      await s3[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
  await world.backUp();
  return world;
}

/** Looked at, prepared and swapped. */
export async function replaced(world: BucketWorld, order: Partial<ReplacementOrder> = {}): Promise<Replacer> {
  const replacer = bucketReplacer(world.config, order);
  await replacer.prepare(world.reader(), world.context());
  await replacer.swap(world.context());
  return replacer;
}
