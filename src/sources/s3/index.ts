import { AppError } from "../../core/errors.ts";
import { findTool } from "../../lib/environment.ts";
import { LazyBeside, LazyReplacer, lazily } from "../lazily.ts";
import type { OpenOptions, Source, SourceDeps, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import type { Bucket } from "./bucket.ts";
import { type S3SourceConfig, s3SourceSchema } from "./schema.ts";

/** The objects of a bucket. */
class S3Source implements Source {
  readonly kind = "s3";
  readonly counts = "exact";
  readonly #config: S3SourceConfig;
  readonly #deps: SourceDeps;

  constructor(config: S3SourceConfig, deps: SourceDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    const [{ placeFacts }, { Bucket }, { titleOf }] = await load();
    const bucket = new Bucket(this.#config);
    try {
      await look(bucket, this.#config, signal);
    } finally {
      bucket.requests.close();
    }
    return { title: titleOf(bucket, "not-known"), facts: placeFacts(this.#config) };
  }

  async open(signal: AbortSignal, { previous = [], full }: OpenOptions = {}): Promise<SourceSession> {
    const [{ openBase }, { Bucket }, { S3Session }] = await load();
    const bucket = new Bucket(this.#config);
    try {
      await look(bucket, this.#config, signal);
      const now = this.#deps.clock.now();
      const { logger } = this.#deps;
      const base = full ?? (await openBase(previous, { config: this.#config, now, signal, logger }));
      return new S3Session({ config: this.#config, bucket, base, startedAt: now }, signal);
    } catch (error) {
      bucket.requests.close();
      throw error;
    }
  }
}

/** What a process that only shows backups does without. */
function load() {
  return Promise.all([import("./base.ts"), import("./bucket.ts"), import("./session.ts")]);
}

/** That the compressor is there, and that the bucket lets itself be listed. */
async function look(bucket: Bucket, { prefix }: S3SourceConfig, signal: AbortSignal): Promise<void> {
  if (findTool("zstd") === undefined) {
    const remedy = "apt-get install zstd";
    throw new AppError("tool-missing", `zstd is not installed on this machine: ${remedy}`, {
      context: { step: "zstd", tool: "zstd" },
      text: { key: "error-tool-missing", args: { tool: "zstd", remedy } },
    });
  }
  for await (const _ of bucket.list(prefix, signal, 1)) break;
}

export const s3Source: SourceKind<typeof s3SourceSchema> = {
  kind: "s3",
  schema: s3SourceSchema,
  create: (config, deps) => new S3Source(config, deps),
  incremental: true,
  load,
  checkReadable: lazily(async () => (await import("./readable.ts")).checkReadable),
  restore: lazily(async () => (await import("./restore.ts")).restore),
  lookAtTarget: lazily(async () => (await import("./restore.ts")).lookAtTarget),
  testRestore: lazily(async () => (await import("./restore.ts")).testRestore),
  replacer: (config, order) =>
    new LazyReplacer(async () => (await import("./replace/index.ts")).createReplacer(config, order)),
  beside: (config, order) =>
    new LazyBeside(async () => (await import("./replace/beside.ts")).createBeside(config, order)),
  besideName: (_config, { stamp }) => `restored-${stamp}/`,
  // Only the index, as it is stored: nothing is written.
  scratchBytes: ({ parts }) => parts.find(({ role }) => role === "index")?.bytes ?? 0,
};
