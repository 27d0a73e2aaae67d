import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it, test, vi } from "vitest";
import { checkConfig, formatPath } from "../../src/app/config.ts";
import { matcherOf } from "../../src/core/globs.ts";
import { parseTarget } from "../../src/sources/s3/address.ts";
import { ahead } from "../../src/sources/s3/ahead.ts";
import type { Version } from "../../src/sources/s3/bucket.ts";
import { changesOf } from "../../src/sources/s3/changes.ts";
import { IndexWriter } from "../../src/sources/s3/indexes.ts";
import { compareKeys, decodeKey, shownKey } from "../../src/sources/s3/keys.ts";
import { headLine, type IndexLine, type IndexObject, indexLine, readLines } from "../../src/sources/s3/lines.ts";
import { s3SourceSchema } from "../../src/sources/s3/schema.ts";
import { padding, readTar, tarEnd, tarHeader } from "../../src/sources/s3/tar.ts";
import { unpacked } from "../../src/sources/s3/unpack.ts";
import { temporaryFolder } from "../support/backup.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("keys", () => {
  test("are in the order of their UTF-8", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
    expect(compareKeys("\u{1F600}", "\uFFFD")).toBeGreaterThan(0);
  });

  test("come out of a listing as they went in", () => {
    fc.assert(
      fc.property(text, (key) => {
        expect(decodeKey(encodeURIComponent(key))).toBe(key);
        expect(decodeKey(encodeURIComponent(key).replaceAll("%20", "+"))).toBe(key);
      }),
    );
    expect(() => decodeKey("%ff")).toThrow(URIError);
  });

  test.each([
    ["cache/*", "cache/a/b", true],
    ["cache/*", "my/cache/a", false],
    ["*.tmp", "a/b.tmp", true],
    ["*.tmp", "a/b.tmp2", false],
    ["a?c", "abc", true],
    ["a?c", "a\u{1F600}c", true],
    ["(a)[b].+", "(a)[b].+", true],
    ["a*", "a\nb", true],
  ])("%s leaves out %j: %s", (pattern, key, expected) => {
    expect(matcherOf([pattern])(key)).toBe(expected);
  });

  test("are shown on one line", () => {
    expect(shownKey("a\nb\\c\u001b")).toBe("a\\012b\\\\c\\033");
    expect(shownKey("x".repeat(1000))).toHaveLength(300);
  });
});

describe("archives", () => {
  const file = fc.record({
    path: fc.string({ unit: "binary", minLength: 1, maxLength: 700 }).filter((path) => path.isWellFormed()),
    content: fc.uint8Array({ maxLength: 1500 }),
    records: fc.dictionary(fc.stringMatching(/^VAKHTA\.[a-z]{1,9}$/), fc.string({ maxLength: 120 })),
  });

  function archive(files: readonly { path: string; content: Uint8Array; records: Record<string, string> }[]): Buffer {
    const blocks = files.flatMap(({ path, content, records }) => [
      tarHeader({ path, size: content.length, modified: new Date(1_700_000_000_123), records }),
      content,
      padding(content.length),
    ]);
    return Buffer.concat([...blocks, tarEnd]);
  }

  function cutUp(bytes: Buffer, size: number): Buffer[] {
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
  }

  test("give back what was put in, in whatever pieces they come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), async (files, size) => {
        const found: { path: string; content: string }[] = [];
        for await (const { path, body } of readTar(stream(cutUp(archive(files), size))))
          found.push({ path, content: Buffer.concat(await collect(body)).toString("hex") });
        expect(found).toEqual(
          files.map(({ path, content }) => ({ path, content: Buffer.from(content).toString("hex") })),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("pass over what nobody reads", async () => {
    const files = ["a", "b", "c"].map((path) => ({ path, content: Buffer.alloc(1000, path), records: {} }));
    const numbers: [number, string][] = [];
    for await (const { number, path, body } of readTar(stream([archive(files)]))) {
      numbers.push([number, path]);
      if (path === "b") for await (const _ of body) break;
    }
    expect(numbers).toEqual([
      [0, "a"],
      [1, "b"],
      [2, "c"],
    ]);
  });

  test("hold a size that a plain header can not", async () => {
    const header = tarHeader({ path: "./large", size: 9 * 1024 ** 3, modified: new Date(0), records: {} });
    for await (const { size } of readTar(stream([header]))) {
      expect(size).toBe(9 * 1024 ** 3);
      break;
    }
  });

  test("that are cut, damaged or go on behind their end are refused", async () => {
    const whole = archive([{ path: "a", content: Buffer.alloc(2000, 1), records: {} }]);
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(255, 3);
    for (const bytes of [
      ...[0, 100, 600, 1600, 2600, whole.length - 1024].map((length) => whole.subarray(0, length)),
      flipped,
      Buffer.concat([whole, Buffer.from("more")]),
      Buffer.alloc(512, "x"),
    ])
      await expect(collect(readTar(stream([bytes])))).rejects.toMatchObject({ code: "source-failed" });
  });
});

describe("an index", () => {
  const sha256 = "0".repeat(64);
  const object = (key: string, more: Partial<IndexObject> = {}): IndexObject => ({
    key,
    size: 1,
    modified: "2026-01-01T00:00:00.000Z",
    sha256,
    entry: 0,
    ...more,
  });
  const bytesOf = (lines: readonly (IndexLine | string)[]): Buffer =>
    Buffer.from(
      [headLine("b", ""), ...lines.map((line) => (typeof line === "string" ? line : indexLine(line)))].join(""),
    );

  it("gives back its lines, in whatever pieces they come", async () => {
    const lines: IndexLine[] = [
      object("a", { metadata: { owner: "Zoë" }, etag: "x", in: "run1" }),
      { key: "b\n", deleted: true },
      object("\u{1F600}"),
    ];
    const bytes = bytesOf(lines);
    for (let size = 1; size <= bytes.length; size += 7) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(await collect(readLines(stream(pieces)))).toEqual(lines);
    }
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["another file", Buffer.from("hello\n")],
    ["half a line", bytesOf([object("a")]).subarray(0, -3)],
    ["keys that are out of order", bytesOf([object("b"), object("a")])],
    ["a key twice", bytesOf([object("a"), object("a")])],
    ["a line that is none", bytesOf(["{}\n"])],
    ["a line without an end", Buffer.concat([bytesOf([]), Buffer.alloc(1024 * 1024, "x")])],
  ])("refuses %s", async (_what, bytes) => {
    await expect(collect(readLines(stream([bytes])))).rejects.toMatchObject({ code: "source-failed" });
  });

  it("leaves nothing open where the compressor is not there", async () => {
    using folder = temporaryFolder();
    vi.stubEnv("PATH", folder.path);
    vi.stubEnv("TMPDIR", folder.path);
    const { signal } = new AbortController();
    const missing = { code: "tool-missing", context: { tool: "zstd" } };
    await expect(IndexWriter.create({ bucket: "b", prefix: "" }, 3, signal)).rejects.toMatchObject(missing);
    const open = readdirSync("/proc/self/fd").map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return "";
      }
    });
    expect(open.filter((path) => path.startsWith(folder.path))).toEqual([]);
    const input = new PassThrough();
    await expect(collect(unpacked(input, signal))).rejects.toMatchObject(missing);
    expect(input.destroyed).toBe(true);
  });

  it("refuses one of a newer version, and says so", async () => {
    const bytes = Buffer.from(`${JSON.stringify({ index: "vakhta-s3", version: 2, bucket: "b", prefix: "" })}\n`);
    await expect(collect(readLines(stream([bytes])))).rejects.toMatchObject({
      code: "manifest",
      text: { key: "error-manifest-newer" },
    });
  });

  it("is held against a listing as two sets would be", async () => {
    const state = fc.dictionary(fc.string({ unit: "binary", maxLength: 3 }), fc.constantFrom("x", "y"));
    const sorted = (all: Record<string, string>) => Object.entries(all).sort(([a], [b]) => compareKeys(a, b));
    await fc.assert(
      fc.asyncProperty(state, state, async (before, now) => {
        const listing = sorted(now).map(([key, etag]): Version => ({ key, etag, size: 1, modified: new Date(0) }));
        const known = sorted(before).map(([key, etag]) => object(key, { etag }));
        const changes = await collect(changesOf(stream(listing), stream(known)));
        const keys = (kind: string) =>
          changes.filter((change) => change.kind === kind).map((change) => change.before?.key ?? "");
        expect(keys("deleted")).toEqual(sorted(before).flatMap(([key]) => (Object.hasOwn(now, key) ? [] : [key])));
        expect(keys("same")).toEqual(sorted(now).flatMap(([key, tag]) => (before[key] === tag ? [key] : [])));
        expect(changes.filter(({ kind }) => kind !== "deleted")).toHaveLength(listing.length);
      }),
    );
  });

  it("calls nothing the same that has no ETag, or another size", async () => {
    const listing: Version[] = [
      { key: "a", etag: undefined, size: 1, modified: new Date(0) },
      { key: "b", etag: "x", size: 2, modified: new Date(0) },
    ];
    const changes = await collect(changesOf(stream(listing), stream([object("a"), object("b", { etag: "x" })])));
    expect(changes.map(({ kind }) => kind)).toEqual(["read", "read"]);
  });
});

describe("reading ahead", () => {
  const limits = { items: 100, running: 3, bytes: 10 };

  it("keeps the order, and never has more running or in memory than allowed", async () => {
    let running = 0;
    let held = 0;
    let most = { running: 0, held: 0 };
    const job = (item: number) => ({
      bytes: 4,
      async run() {
        running += 1;
        held += 4;
        most = { running: Math.max(most.running, running), held: Math.max(most.held, held) };
        for (let turn = 0; turn < 10 - (item % 7); turn += 1) await Promise.resolve();
        running -= 1;
        return item * 2;
      },
    });
    const items = Array.from({ length: 200 }, (_, index) => index);
    const results: number[] = [];
    for await (const { item, result } of ahead(stream(items), job, limits)) {
      expect(await result).toBe(item * 2);
      results.push(item);
      held -= 4;
    }
    expect(results).toEqual(items);
    expect(most.running).toBeGreaterThan(1);
    expect(most.running).toBeLessThanOrEqual(3);
    expect(most.held).toBeLessThanOrEqual(12);
  });

  it("lets one that is larger than everything allowed pass alone", async () => {
    const jobs = ahead(stream([1, 2, 3]), () => ({ bytes: 1000, run: () => Promise.resolve("x") }), limits);
    expect(await collect(jobs)).toHaveLength(3);
  });

  it("passes on what goes wrong with an item, and with their source", async () => {
    const bad = ahead(stream([1]), () => ({ bytes: 1, run: () => Promise.reject(new Error("no")) }), limits);
    for await (const { result } of bad) await expect(result).rejects.toThrow("no");
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw new Error("the list broke off");
    }
    await expect(collect(ahead(failing(), () => undefined, limits))).rejects.toThrow("the list broke off");
  });

  it("ends its source when nobody wants more", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (let number = 0; ; number += 1) yield number;
      } finally {
        ended = true;
      }
    }
    for await (const { item } of ahead(endless(), () => undefined, limits)) if (item === 5) break;
    expect(ended).toBe(true);
  });
});

describe("the target of a restore", () => {
  const source = s3SourceSchema.parse({
    kind: "s3",
    endpoint: "https://s3.example.org",
    region: "ru-1",
    bucket: "photos",
    accessKeyId: "key",
    secretAccessKey: "secret-of-source",
    forcePathStyle: true,
  });

  it("is a folder by its path or address", () => {
    expect(parseTarget("/srv/a b")).toEqual({ kind: "folder", path: "/srv/a b" });
    expect(parseTarget("file:///srv/a%20b")).toEqual({ kind: "folder", path: "/srv/a b" });
  });

  it("is a bucket, with the source's server and keys where no other is named", () => {
    expect(parseTarget("s3://other/a%20b", source)).toMatchObject({
      kind: "bucket",
      prefix: "a b/",
      config: { bucket: "other", endpoint: "https://s3.example.org", accessKeyId: "key", forcePathStyle: true },
    });
  });

  it("gets the source's keys for no other server", () => {
    const place = parseTarget("s3://other?endpoint=https://elsewhere.example.org", source);
    expect(JSON.stringify(place)).not.toContain("secret-of-source");
    expect(place).toMatchObject({ config: { endpoint: "https://elsewhere.example.org", region: "us-east-1" } });
  });

  it.each([
    "s3://",
    "s3://key:secret-in-address@bucket",
    "s3://bucket?key=1",
    "s3://bucket?pathStyle=maybe",
    "s3://bucket?endpoint=file:///etc",
    "relative/folder",
    "https://example.org/bucket",
  ])("is not %s", (to) => {
    expect(() => parseTarget(to)).toThrow(expect.objectContaining({ code: "config" }));
    expect(() => parseTarget(to)).not.toThrow(/secret/);
  });
});

it("takes a key with its secret or none, and keeps its prefix a folder", () => {
  const base = { kind: "s3", bucket: "b" };
  expect(s3SourceSchema.parse({ ...base, prefix: "a" })).toMatchObject({ prefix: "a/", fullEvery: 30 * 86_400_000 });
  expect(s3SourceSchema.safeParse({ ...base, accessKeyId: "a" }).success).toBe(false);
  expect(s3SourceSchema.safeParse({ ...base, secretAccessKey: "a" }).success).toBe(false);
});

describe("backups that lie in the bucket that is backed up", () => {
  const config = (storage: string, source: string): string => `
storages:
  offsite: { kind: s3, endpoint: https://s3.example.org, bucket: photos, ${storage} }
backups:
  - name: photos
    source: { kind: s3, endpoint: https://s3.example.org, ${source} }
`;
  it.each([
    ["prefix: backups", "bucket: photos", true],
    ["prefix: in/backups", "bucket: photos, prefix: in", true],
    ["region: us-east-1", "bucket: photos", true],
    ["prefix: backups", "bucket: others", false],
    ["prefix: backups", "bucket: photos, prefix: in", false],
    ["prefix: backups", "bucket: photos, prefix: back", false],
    ["prefix: backups", 'bucket: photos, exclude: ["backups/*"]', false],
    ["prefix: in/backups", 'bucket: photos, prefix: in, exclude: ["backups/*"]', false],
    ["prefix: backups", 'bucket: photos, exclude: ["*.tmp"]', true],
  ])("are refused: %s in %s: %s", (storage, source, refused) => {
    using folder = temporaryFolder();
    const file = join(folder.path, "vakhta.yaml");
    writeFileSync(file, config(storage, source));
    const { problems } = checkConfig({ path: file, env: {}, requires: [] });
    const found = problems.map(({ path, key }) => `${formatPath(path)} ${key}`);
    expect(found).toEqual(refused ? ["backups[0].source.exclude config-problem-s3-itself"] : []);
  });
});
