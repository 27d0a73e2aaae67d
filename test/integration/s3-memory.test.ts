import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import type { Base } from "../../src/sources/s3/base.ts";
import { Bucket, type Version } from "../../src/sources/s3/bucket.ts";
import { Index, IndexWriter } from "../../src/sources/s3/indexes.ts";
import { s3SourceSchema } from "../../src/sources/s3/schema.ts";
import { S3Session } from "../../src/sources/s3/session.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { startedAt, storageOf, temporaryFolder } from "../support/backup.ts";
import { Backups } from "../support/bucket.ts";
import { readerOf } from "../support/parts.ts";
import { aManifest } from "../support/run.ts";
import { contentOf, keyOf, memoryConfig, memoryDate, startMemoryS3 } from "../support/s3-memory.ts";
import { startS3Stub } from "../support/s3-stub.ts";

const { signal } = new AbortController();
const mebibyte = 1024 * 1024;

/**
 * Bytes that are in use when everything is collected that nobody uses: no matter of chance. The memory of buffers is given
 * back beside the collector, so that a later look may see less of it.
 */
async function bytesInUse(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5; look += 1) {
    collect();
    await setImmediate();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

it("reads no object twice", async () => {
  await using s3 = await startMemoryS3({ pageSize: 100 });
  for (let number = 0; number < 400; number += 1) s3.put(keyOf(number), contentOf(number));
  using folder = temporaryFolder();
  const backups = new Backups([storageOf("local", { kind: "local", path: folder.path })]);
  const first = await backups.make(memoryConfig(s3));
  const gets = s3.requests.filter((request) => request.startsWith("GET "));
  expect(gets.toSorted()).toEqual(Array.from({ length: 400 }, (_, number) => `GET ${keyOf(number)}`));
  const before = s3.requests.length;
  const second = await backups.make(memoryConfig(s3), { previous: [backups.reader(first)] });
  expect(second.manifest.source).toMatchObject({ mode: "incremental", added: "0", unchanged: "400" });
  expect(s3.requests.slice(before).filter((request) => request !== "LIST")).toEqual([]);
});

/** A page of a list of so many objects, as a server writes it that keeps none of them. */
function pageOf(url: string, count: number): string {
  const query = new URL(url, "http://stub").searchParams;
  const from = Number(query.get("continuation-token") ?? 0);
  const numbers = Array.from({ length: Math.min(1000, count - from) }, (_, index) => from + index);
  const contents = numbers.map(
    (number) =>
      `<Contents><Key>${keyOf(number)}</Key><Size>9</Size><ETag>&quot;${number}&quot;</ETag><LastModified>${memoryDate.toISOString()}</LastModified></Contents>`,
  );
  const next = from + numbers.length;
  const more =
    next < count ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>` : "";
  return `<ListBucketResult>${more}${contents.join("")}</ListBucketResult>`;
}

it("holds one page of a bucket's list in memory, however long that is", async () => {
  const count = 40_000;
  await using s3 = await startS3Stub(({ url }) => ({
    headers: { "content-type": "application/xml" },
    body: pageOf(url, count),
  }));
  const bucket = new Bucket(s3SourceSchema.parse(memoryConfig(s3)));
  const used: number[] = [];
  let listed = 0;
  for await (const { key } of bucket.list("", signal)) {
    if (key !== keyOf(listed)) break;
    listed += 1;
    // Within a page each, not at its border.
    if (listed === 10_500 || listed === count - 500) used.push(await bytesInUse());
  }
  bucket.requests.close();
  expect(listed).toBe(count);
  const [early = 0, late = 0] = used;
  // 29,000 keys alone would be more.
  expect(late - early).toBeLessThan(mebibyte);
});

/** A backup whose index this is, and whose archive nobody reads. */
async function readerOfIndex(writer: IndexWriter, entries: number): Promise<BackupReader> {
  const index = {
    role: "index",
    file: "index.jsonl.zst",
    bytes: await buffer(await writer.finish()),
    facts: { entries },
  };
  const archive = { role: "artifact", file: "artifact.tar.zst", bytes: Buffer.alloc(0), facts: { entries } };
  return readerOf("s3", [archive, index]);
}

/** A bucket of so many objects that nobody has to keep anywhere. */
class EndlessBucket extends Bucket {
  readonly #count: number;
  readonly #watch: (listed: number) => Promise<void>;

  constructor(
    config: ConstructorParameters<typeof Bucket>[0],
    count: number,
    watch: (listed: number) => Promise<void>,
  ) {
    super(config);
    this.#count = count;
    this.#watch = watch;
  }

  override async *list(): AsyncGenerator<Version> {
    for (let number = 0; number < this.#count; number += 1) {
      await this.#watch(number);
      yield { key: keyOf(number), etag: `etag-${number}`, size: number, modified: memoryDate };
    }
  }
}

it("holds a bucket against its index, and writes the next one, in the same memory from the beginning to the end", async () => {
  const count = 100_000;
  const config = s3SourceSchema.parse(memoryConfig({ endpoint: "http://127.0.0.1:1" }));
  const sha256 = createHash("sha256").digest("hex");
  const modified = memoryDate.toISOString();
  await using writer = await IndexWriter.create(config, 1, signal);
  for (let number = 0; number < count; number += 1)
    await writer.add({ key: keyOf(number), etag: `etag-${number}`, size: number, modified, sha256, entry: number });
  const index = await Index.load(await readerOfIndex(writer, count), signal);
  const used: number[] = [];
  const bucket = new EndlessBucket(config, count, async (listed) => {
    if (listed === 10_000 || listed === count - 1) used.push(await bytesInUse());
  });
  const base: Base = { manifest: aManifest({ id: "before" }), index, fullAt: startedAt, archives: new Map() };
  await using session = new S3Session({ config, bucket, base, startedAt }, signal);
  const roles: string[] = [];
  for await (const part of session.parts()) {
    roles.push(part.role);
    part.stream.resume();
    expect(await part.done).toMatchObject({ entries: count });
  }
  expect(roles).toEqual(["index"]);
  expect(session.info.facts).toMatchObject({ unchanged: String(count), added: "0", deleted: "0" });
  const [early = 0, late = 0] = used;
  // Of a list of millions, 10 bytes for each object would be seen.
  expect(late - early).toBeLessThan(mebibyte);
});
