import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Manifest, manifestFolder } from "../../src/core/manifest.ts";
import { encodeProofs, proofFile } from "../../src/core/proof.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import type { PipelineResult } from "../../src/services/backup/pipeline.ts";
import { findPrevious, type PreviousQuery } from "../../src/services/backup/previous.ts";
import { verifyReadable, verifyStored } from "../../src/services/backup/verify.ts";
import { filesBelow, quiet, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { Backups } from "../support/bucket.ts";
import { memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";

const signal = new AbortController().signal;

/** A bucket, two storages, and backups into both. */
async function world() {
  const s3 = await startMemoryS3();
  s3.put("a", "1");
  s3.put("b", "2");
  const near = temporaryFolder();
  const far = temporaryFolder();
  const storages = [
    storageOf("far", { kind: "local", path: far.path }),
    storageOf("near", { kind: "local", path: near.path }),
  ] as const;
  const backups = new Backups(storages);
  const query = (more: Partial<PreviousQuery> = {}): PreviousQuery => ({
    name: "app",
    kind: "s3",
    storages,
    recipients: [],
    now: new Date("2026-03-01T12:00:00Z"),
    signal,
    logger: quiet,
    ...more,
  });
  return {
    s3,
    near: near.path,
    far: far.path,
    storages,
    backups,
    query,
    /** One more backup, as a worker would make it. */
    make: async (more: Partial<PreviousQuery> = {}, settings: object = {}): Promise<PipelineResult> =>
      await backups.make(memoryConfig(s3, settings), await findPrevious(query(more)), {
        recipients: more.recipients ?? [],
      }),
    /** Objects that were read since it was asked last. */
    reads: () => s3.requests.splice(0).filter((request) => request.startsWith("GET ")),
    async [Symbol.asyncDispose]() {
      await s3[Symbol.asyncDispose]();
      near[Symbol.dispose]();
      far[Symbol.dispose]();
    },
  };
}

const folderOf = ({ manifest }: { readonly manifest: Manifest }): string => manifestFolder(manifest);
const full = ({ manifest }: PipelineResult) => manifest.source["full"];

it("builds upon the newest backup that is whole in every storage, and points at archives, never at a chain", async () => {
  await using one = await world();
  expect(full(await one.make())).toBe("first");
  expect(one.reads()).toHaveLength(2);
  one.s3.put("a", "new");
  expect((await one.make()).manifest.source).toMatchObject({ mode: "incremental", base: "run1" });
  expect(one.reads()).toEqual(["GET a"]);
  const third = await one.make();
  expect(third.manifest.source).toMatchObject({ mode: "incremental", base: "run2", unchanged: "2" });
  expect(one.reads()).toEqual([]);
  expect(third.manifest.references.map(({ run }) => run)).toEqual(["run1", "run2"]);
  one.s3.put("b", "new too");
  // Nothing of the first run is needed any more.
  expect((await one.make()).manifest.references.map(({ run }) => run)).toEqual(["run2"]);
});

it.each(["artifact.tar.zst", "index.jsonl.zst", "manifest.json"])(
  "reads everything when one storage has lost the %s, and says why",
  async (file) => {
    await using one = await world();
    const first = await one.make();
    rmSync(join(one.far, folderOf(first), file));
    expect(full(await one.make())).toBe("copies");
  },
);

it("builds upon an older one when the newest is not whole everywhere, and upon none that points at what is lost", async () => {
  await using one = await world();
  const first = await one.make();
  one.s3.put("a", "new");
  const second = await one.make();
  rmSync(join(one.far, folderOf(second), "manifest.json"));
  expect((await one.make()).manifest.source).toMatchObject({ base: "run1" });
  rmSync(join(one.near, folderOf(first), "artifact.tar.zst"));
  expect(full(await one.make())).toBe("copies");
});

it("does not build upon what was proven to be damaged", async () => {
  await using one = await world();
  const first = await one.make();
  const proof = { depth: "stored", ok: false, at: "2026-03-02T00:00:00.000Z", host: "h", elapsedMs: 1 } as const;
  const proofs = { version: 1 as const, manifestSha256: first.manifestSha256, proofs: [proof] };
  writeFileSync(join(one.near, folderOf(first), proofFile), encodeProofs(proofs));
  expect(full(await one.make())).toBe("copies");
});

it("reads the index from another copy when the first is damaged, and everything when all are", async () => {
  await using one = await world();
  const first = await one.make();
  const damage = (folder: string): void => {
    const path = join(folder, folderOf(first), "index.jsonl.zst");
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    writeFileSync(path, bytes);
  };
  damage(one.far);
  const second = await one.make();
  expect(second.manifest.source).toMatchObject({ base: "run1" });
  rmSync(join(one.far, folderOf(second)), { recursive: true });
  rmSync(join(one.near, folderOf(second)), { recursive: true });
  damage(one.near);
  expect(full(await one.make())).toBe("damaged");
});

it("reads everything without the identity, with other recipients, after its time, of another bucket", async () => {
  await using one = await world();
  const identity = await generateIdentity();
  const recipients = [await recipientOf(identity)];
  const identities = [await generateIdentity(), identity];
  await one.make({ recipients, identities });
  expect((await one.make({ recipients, identities })).manifest.source).toMatchObject({ mode: "incremental" });
  expect(full(await one.make({ recipients }))).toBe("key");
  expect(full(await one.make({ recipients: [], identities }))).toBe("recipients");
  const other = [...recipients, await recipientOf(await generateIdentity())];
  expect(full(await one.make({ recipients: other, identities }))).toBe("recipients");
  expect(full(await one.make({ recipients: other, identities: [await generateIdentity()] }))).toBe("key");
  const plain = await one.make();
  expect(full(plain)).toBe("recipients");
  expect(full(await one.make({}, { prefix: "elsewhere", allowEmpty: true }))).toBe("bucket");
  one.s3.put("c", "3");
  expect(full(await one.make())).toBe("bucket");
});

it.each([
  ["2026-01-29T03:04:00.000Z", "age"],
  ["2026-01-30T03:06:00.000Z", undefined],
  ["2026-03-02T03:04:00.000Z", undefined],
  ["2026-03-02T03:06:00.000Z", "clock"],
  ["not a date", "clock"],
])("with everything read at %s the reason to do so again on 1 March at 03:05 is: %s", async (fullAt, reason) => {
  await using one = await world();
  await one.make();
  const { previous = [] } = await findPrevious(one.query());
  const [reader] = previous;
  if (!reader) throw new Error("nothing to build upon");
  const manifest = { ...reader.manifest, source: { ...reader.manifest.source, fullAt } };
  await using session = await sourceOf(memoryConfig(one.s3)).open(signal, { previous: [{ ...reader, manifest }] });
  expect(session.info.facts["full"]).toBe(reason);
});

it("builds upon the newest that no wrong clock has dated ahead, and upon such a one only where there is no other", async () => {
  await using one = await world();
  const { manifest: first } = await one.make();
  const { manifest: second } = await one.make();
  const idOf = async (now: string): Promise<string | undefined> =>
    (await findPrevious(one.query({ now: new Date(now) }))).previous?.[0]?.manifest.id;
  expect(await idOf(second.startedAt)).toBe(second.id);
  const early = Date.parse(second.startedAt) - 24 * 3_600_000 - 1;
  expect(first.startedAt < second.startedAt).toBe(true);
  expect(await idOf(new Date(early).toISOString())).toBe(first.id);
  expect(await idOf("2020-01-01T00:00:00Z")).toBe(second.id);
});

it("reads everything when the backup before points at more than a hundred runs", async () => {
  await using one = await world();
  await one.make();
  const { previous = [] } = await findPrevious(one.query());
  const [reader] = previous;
  const [part] = reader?.manifest.parts ?? [];
  if (!reader || !part) throw new Error("nothing to build upon");
  const { file, bytes, sha256 } = part;
  const references = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ run: `old${index}`, folder: "app/x/", file, bytes, sha256 }));
  for (const [count, reason] of [
    [99, undefined],
    [100, "runs"],
  ] as const) {
    const manifest = { ...reader.manifest, references: references(count) };
    await using session = await sourceOf(memoryConfig(one.s3)).open(signal, { previous: [{ ...reader, manifest }] });
    expect(session.info.facts["full"]).toBe(reason);
  }
});

it("is no matter of sources that do not build upon anything", async () => {
  await using one = await world();
  expect(await findPrevious(one.query({ kind: "postgres" }))).toEqual({});
});

it("copies a backup to where its archives are, and puts back one that is damaged there", async () => {
  await using one = await world();
  const [far, near] = one.storages;
  const first = await one.make();
  one.s3.put("a", "new");
  const second = await one.make();
  rmSync(join(one.far, folderOf(second)), { recursive: true });
  writeFileSync(join(one.far, folderOf(first), "artifact.tar.zst"), "short");
  const { manifest, manifestBytes } = second;
  await expect(verifyStored(far, manifest)).rejects.toMatchObject({ name: "AppError" });
  await copyBackup({ from: near, to: far, folder: folderOf(second), manifest, manifestBytes, signal });
  await verifyStored(far, manifest);
  await verifyReadable(far, manifest);
});

it("makes no copy where the run is missing that it needs", async () => {
  await using one = await world();
  const [far, near] = one.storages;
  const first = await one.make();
  one.s3.put("a", "new");
  const second = await one.make();
  for (const result of [first, second]) rmSync(join(one.far, folderOf(result)), { recursive: true });
  const { manifest, manifestBytes } = second;
  const order = { from: near, to: far, folder: folderOf(second), manifest, manifestBytes, signal };
  await expect(copyBackup(order)).rejects.toMatchObject({ code: "no-copy", text: { key: "error-copy-references" } });
  expect(filesBelow(one.far)).toEqual([]);
});
