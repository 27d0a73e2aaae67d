import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { PutObjectCommandInput, S3 } from "@aws-sdk/client-s3";
import { runFolder } from "../../src/core/manifest.ts";
import { createS3Requests, type S3Requests } from "../../src/lib/clients/s3.ts";
import { type PipelineResult, runBackup } from "../../src/services/backup/pipeline.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { Index } from "../../src/sources/s3/indexes.ts";
import type { IndexObject } from "../../src/sources/s3/lines.ts";
import type { BackupReader, OpenOptions } from "../../src/sources/types.ts";
import type { Storage } from "../../src/storages/types.ts";
import { orderOf, sourceOf } from "./backup.ts";
import type { S3Server } from "./s3.ts";

/** The objects of one bucket of a private server, for those who change them. */
export class TestBucket implements Disposable {
  readonly server: S3Server;
  readonly name: string;
  readonly #requests: S3Requests;

  constructor(server: S3Server, name: string) {
    this.server = server;
    this.name = name;
    this.#requests = createS3Requests({ ...server, forcePathStyle: true, maxSockets: 16 });
  }

  static async create(server: S3Server, name: string): Promise<TestBucket> {
    // Its answer is none that the SDK could read.
    const { ok, status } = await fetch(`${server.endpoint}/${name}`, { method: "PUT" });
    if (!ok) throw new Error(`no bucket ${name}: ${status}`);
    return new TestBucket(server, name);
  }

  /** The source's configuration. `endpoint`: that of a proxy before it. */
  config(more: object = {}): { kind: "s3" } & Record<string, unknown> {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.server;
    return {
      kind: "s3",
      endpoint,
      region,
      bucket: this.name,
      accessKeyId,
      secretAccessKey,
      forcePathStyle: true,
      ...more,
    };
  }

  async put(key: string, body: string | Buffer, more: Partial<PutObjectCommandInput> = {}): Promise<void> {
    await this.#call((s3) => s3.putObject({ Bucket: this.name, Key: key, Body: body, ...more }));
  }

  async putAll(objects: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const pending = Object.entries(objects);
    const worker = async (): Promise<void> => {
      for (let next = pending.pop(); next; next = pending.pop()) await this.put(...next);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  async delete(key: string): Promise<void> {
    await this.#call((s3) => s3.deleteObject({ Bucket: this.name, Key: key }));
  }

  async get(key: string) {
    const answer = await this.#call((s3) => s3.getObject({ Bucket: this.name, Key: key }));
    return { ...answer, bytes: await buffer(answer.Body as AsyncIterable<Buffer>) };
  }

  /** SHA-256 of every object, by key. */
  async contents(): Promise<Record<string, string>> {
    const result: Record<string, string> = {};
    let token: string | undefined;
    do {
      const input = { Bucket: this.name, ContinuationToken: token };
      const page = await this.#call((s3) => s3.listObjectsV2(input));
      for (const { Key = "" } of page.Contents ?? []) result[Key] = sha256((await this.get(Key)).bytes);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return result;
  }

  [Symbol.dispose](): void {
    this.#requests.close();
  }

  #call<T>(request: (s3: S3) => Promise<T>): Promise<T> {
    return this.#requests.call(request);
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Backups of one bucket, made one after the other, each an hour after the one before. */
export class Backups {
  readonly storages: readonly Storage[];
  readonly #start: number;
  #count = 0;

  constructor(storages: readonly Storage[], start = new Date("2026-03-01T03:00:00Z")) {
    this.storages = storages;
    this.#start = start.getTime();
  }

  async make(
    config: object,
    previous?: Pick<OpenOptions, "previous" | "full">,
    more: { readonly recipients?: readonly string[]; readonly signal?: AbortSignal } = {},
  ): Promise<PipelineResult> {
    const startedAt = new Date(this.#start + this.#count * 3_600_000);
    this.#count += 1;
    const runId = `run${this.#count}`;
    return await runBackup(
      orderOf({
        runId,
        startedAt,
        folder: runFolder("app", startedAt, runId),
        source: sourceOf(config),
        storages: this.storages,
        ...(previous ? { previous } : {}),
        ...more,
      }),
    );
  }

  reader({ manifest }: PipelineResult, identity?: string): BackupReader {
    const [storage] = this.storages;
    if (!storage) throw new Error("no storage");
    return openBackup(storage, manifest, { identity });
  }
}

/** The objects that a backup's index names. */
export async function indexOf(reader: BackupReader): Promise<IndexObject[]> {
  const { signal } = new AbortController();
  await using index = await Index.load(reader, signal);
  const objects: IndexObject[] = [];
  for await (const object of index.objects(signal)) objects.push(object);
  return objects;
}
