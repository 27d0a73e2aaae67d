import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Manifest } from "../../src/core/manifest.ts";
import { run } from "../../src/lib/process.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { verifyReadable } from "../../src/services/backup/verify.ts";
import { kindOf } from "../../src/sources/index.ts";
import type { RestoreReport } from "../../src/sources/types.ts";
import { filesBelow, quiet, storageOf, temporaryFolder } from "../support/backup.ts";
import { Backups, indexOf } from "../support/bucket.ts";
import { type MemoryS3, memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";

const signal = new AbortController().signal;

/** Every sort of key that a bucket may have. */
const weird = [
  "plain",
  "a",
  "a/b",
  "a//b",
  "/leading",
  "../up",
  "x/../../y",
  ".",
  "folder/",
  "folder/in",
  "marker-with-content/",
  " space + plus % percent ",
  "quote'\"<&>",
  "new\nline\ttab",
  "control\u0001\u001b",
  "ёлка/ж\u{1F600}",
  "\uFFFD",
  ".vakhta/1",
  "-dash",
  `long/${"n".repeat(300)}`,
  "d".repeat(1024),
  "s/".repeat(400),
];

async function world(pageSize = 7) {
  const s3 = await startMemoryS3({ pageSize });
  for (const [index, key] of weird.entries())
    s3.put(key, key === "folder/" ? "" : `content ${index}`, { "content-type": `text/x-${index}` });
  s3.put("empty", "", { "content-type": "text/x-empty" });
  const folder = temporaryFolder();
  const path = join(folder.path, "store");
  mkdirSync(path);
  const storage = storageOf("local", { kind: "local", path });
  return {
    s3,
    storage,
    path,
    scratch: join(folder.path, "scratch"),
    backups: new Backups([storage]),
    async [Symbol.asyncDispose]() {
      await s3[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

function restore(manifest: Manifest, storage: ReturnType<typeof storageOf>, to: string, source?: object) {
  const config = source ? (kindOf("s3").schema.parse(source) as never) : undefined;
  const made = kindOf("s3").restore?.(openBackup(storage, manifest), { to, signal, logger: quiet }, config);
  return made as Promise<RestoreReport>;
}

const contentsOf = ({ objects }: MemoryS3) =>
  Object.fromEntries(
    [...objects].map(([key, { body, headers }]) => [key, `${body.toString()} ${headers["content-type"]}`]),
  );

it("backs up and restores every key that a bucket may have, over many pages", async () => {
  await using one = await world();
  const first = await one.backups.make(memoryConfig(one.s3));
  expect(first.manifest.parts.map(({ entries }) => entries)).toEqual([weird.length + 1, weird.length + 1]);
  const second = await one.backups.make(memoryConfig(one.s3), { previous: [one.backups.reader(first)] });
  expect(second.manifest.source).toMatchObject({ unchanged: String(weird.length + 1), deleted: "0" });
  await verifyReadable(one.storage, second.manifest);

  await using target = await startMemoryS3();
  const to = `s3://memory?endpoint=${target.endpoint}`;
  const report = await restore(second.manifest, one.storage, to, memoryConfig(target));
  expect(report).toMatchObject({ compared: { objects: weird.length + 1 }, differences: [] });
  expect(contentsOf(target)).toEqual(contentsOf(one.s3));
});

it("restores the headers of an object byte for byte; what expires at no time at all has expired", async () => {
  await using one = await world();
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  const named = { "content-disposition": bytes('attachment; filename="отчёт ü.txt"'), "x-amz-meta-who": bytes("Zoë") };
  const date = "Wed, 21 Oct 2026 07:28:00 GMT";
  for (const [key, content] of Object.entries({ empty: "", full: "content" }))
    one.s3.put(key, content, { ...named, expires: date });
  for (const expires of ["0", "never"]) one.s3.put(`expires ${expires}`, "", { expires });
  const { manifest } = await one.backups.make(memoryConfig(one.s3));
  await using target = await startMemoryS3();
  await restore(manifest, one.storage, `s3://memory?endpoint=${target.endpoint}`, memoryConfig(target));
  const headers = (key: string) => target.objects.get(key)?.headers;
  for (const key of ["empty", "full"]) expect(headers(key)).toMatchObject({ ...named, expires: date });
  for (const key of ["expires 0", "expires never"])
    expect(headers(key)).toMatchObject({ expires: "Thu, 01 Jan 1970 00:00:00 GMT" });
});

it("names every header that the restored bucket does not have as the index says, and no other", async () => {
  await using one = await world();
  one.s3.objects.clear();
  const meta = { "x-amz-meta-who": "ann", "x-amz-meta-what": "a" };
  // What the target's server leaves out: it knows no Cache-Control.
  one.s3.put("cached", "1", { "content-type": "text/plain", "cache-control": "no-store" });
  one.s3.put("changed", "2", { "content-type": "text/html", ...meta });
  one.s3.put("expires", "3", { expires: "0" });
  one.s3.put("none", "4");
  const { manifest } = await one.backups.make(memoryConfig(one.s3));
  await using target = await startMemoryS3();
  const set = target.objects.set.bind(target.objects);
  target.objects.set = (key, object) => {
    const { headers } = object;
    if (key === "changed")
      return set(key, {
        ...object,
        headers: { "content-type": "text/x", "x-amz-meta-who": "ann", "x-amz-meta-more": "b" },
      });
    return set(key, key === "none" ? { ...object, headers: { ...headers, "content-disposition": "inline" } } : object);
  };
  const to = `s3://memory?endpoint=${target.endpoint}`;
  const { differences, differencesTotal } = await restore(manifest, one.storage, to, memoryConfig(target));
  expect(differences).toEqual([
    { what: "cached: Cache-Control", expected: "no-store", found: "-" },
    { what: "changed: Content-Type", expected: "text/html", found: "text/x" },
    { what: "changed: x-amz-meta-more", expected: "-", found: "b" },
    { what: "changed: x-amz-meta-what", expected: "a", found: "-" },
  ]);
  expect(differencesTotal).toBe(4);
});

it("restores into a folder, and puts aside what can be no path", async () => {
  await using one = await world();
  const { manifest } = await one.backups.make(memoryConfig(one.s3));
  const report = await restore(manifest, one.storage, one.scratch);
  expect(report).toMatchObject({ compared: { objects: weird.length + 1 }, differences: [] });
  expect(report.remarks?.map(({ key }) => key)).toEqual(["remark-s3-attributes", "remark-s3-aside"]);

  const aside = readFileSync(join(one.scratch, ".vakhta/keys.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { file: string; key: string });
  const keys = aside.map(({ key }) => key);
  expect(keys).toEqual(expect.arrayContaining(["a//b", "/leading", "../up", "x/../../y", ".", ".vakhta/1", "a/b"]));
  expect(keys).not.toContain("plain");
  const pathOf = new Map(aside.map(({ file, key }) => [key, `.vakhta/${file}`]));
  for (const [key, { body }] of one.s3.objects) {
    if (key === "folder/") continue;
    expect([key, readFileSync(join(one.scratch, pathOf.get(key) ?? key), "utf8")]).toEqual([key, body.toString()]);
  }
  // Nothing beside the folder.
  expect(filesBelow(join(one.scratch, "..")).every((file) => /^(?:scratch|store)\//.test(file))).toBe(true);
});

it("puts the objects below the target's prefix, without their own", async () => {
  await using one = await world();
  one.s3.objects.clear();
  for (const key of ["in/", "in/a", "in/b/c", "out"]) one.s3.put(key, key === "in/" ? "" : key);
  const { manifest } = await one.backups.make(memoryConfig(one.s3, { prefix: "in" }));
  await using target = await startMemoryS3();
  target.put("other", "of somebody else");
  await restore(manifest, one.storage, `s3://memory/new?endpoint=${target.endpoint}`, memoryConfig(target));
  expect([...target.objects.keys()].sort()).toEqual(["new/", "new/a", "new/b/c", "other"]);
  target.objects.clear();
  const report = await restore(manifest, one.storage, `s3://memory?endpoint=${target.endpoint}`, memoryConfig(target));
  expect([...target.objects.keys()].sort()).toEqual(["a", "b/c"]);
  expect(report.remarks).toEqual([{ key: "remark-s3-nameless" }]);
});

it("refuses a bucket and a folder that are not empty, and writes nothing there", async () => {
  await using one = await world();
  const { manifest } = await one.backups.make(memoryConfig(one.s3));
  await using target = await startMemoryS3();
  target.put("mine", "x");
  const to = `s3://memory?endpoint=${target.endpoint}`;
  const refused = { code: "conflict" };
  await expect(restore(manifest, one.storage, to, memoryConfig(target))).rejects.toMatchObject(refused);
  expect([...target.objects.keys()]).toEqual(["mine"]);
  mkdirSync(one.scratch);
  writeFileSync(join(one.scratch, "mine"), "x");
  await expect(restore(manifest, one.storage, one.scratch)).rejects.toMatchObject(refused);
  expect(filesBelow(one.scratch)).toEqual(["mine"]);
});

it("test-restores by reading and comparing every object, and writes none", async () => {
  await using one = await world();
  const first = await one.backups.make(memoryConfig(one.s3));
  one.s3.put("plain", "changed");
  const second = await one.backups.make(memoryConfig(one.s3), { previous: [one.backups.reader(first)] });
  const scratch = { folder: one.scratch, id: "x", signal, logger: quiet };
  const report = await kindOf("s3").testRestore?.(one.backups.reader(second), scratch);
  const bytes = [...one.s3.objects.values()].reduce((sum, { body }) => sum + body.length, 0);
  expect(report).toMatchObject({
    compared: { objects: weird.length + 1, bytes },
    differences: [],
    remarks: [{ key: "remark-s3-not-written" }],
  });
});

it("names an object whose content is not the index's, and restores the others", async () => {
  await using one = await world();
  const { manifest } = await one.backups.make(memoryConfig(one.s3, { level: 1 }));
  // The archive is changed together with its manifest, as only somebody could who may write to the storage.
  const folder = join(one.path, "app/20260301T030000Z-run1");
  const file = join(folder, "artifact.tar.zst");
  const plain = (await run({ argv: ["zstd", "-dqf", file, "-o", `${file}.tar`] })).stderr;
  expect(plain).toBe("");
  const tar = readFileSync(`${file}.tar`);
  const at = tar.indexOf("content 0");
  tar.write("CONTENT", at);
  writeFileSync(`${file}.tar`, tar);
  await run({ argv: ["zstd", "-qf", `${file}.tar`, "-o", file] });
  const bytes = readFileSync(file);
  const { createHash } = await import("node:crypto");
  const forged = {
    ...manifest,
    parts: manifest.parts.map((part) =>
      part.role === "artifact"
        ? { ...part, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }
        : part,
    ),
  };
  await using target = await startMemoryS3();
  const to = `s3://memory?endpoint=${target.endpoint}`;
  const report = await restore(forged, one.storage, to, memoryConfig(target));
  expect(report.differences.map(({ what }) => what)).toEqual(["plain"]);
  expect(report.differencesTotal).toBe(1);
  expect(target.objects.has("plain")).toBe(false);
  expect(target.objects.size).toBe(weird.length);
});

it.each(["artifact.tar.zst", "index.jsonl.zst"])("refuses a backup with a flipped bit in %s", async (name) => {
  await using one = await world();
  const { manifest } = await one.backups.make(memoryConfig(one.s3));
  const file = join(one.path, "app/20260301T030000Z-run1", name);
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(file, bytes);
  const refused = { name: "AppError" };
  await expect(verifyReadable(one.storage, manifest)).rejects.toMatchObject(refused);
  await expect(restore(manifest, one.storage, one.scratch)).rejects.toMatchObject(refused);
  const scratch = { folder: one.scratch, id: "x", signal, logger: quiet };
  await expect(kindOf("s3").testRestore?.(one.backups.reader({ manifest } as never), scratch)).rejects.toMatchObject(
    refused,
  );
});

it("can be unpacked by tar and zstd alone", async () => {
  await using one = await world();
  one.s3.objects.clear();
  for (const key of ["a/b", "/leading", "ёлка", `long/${"n".repeat(200)}`]) one.s3.put(key, `of ${key}`);
  await one.backups.make(memoryConfig(one.s3));
  const file = join(one.path, "app/20260301T030000Z-run1/artifact.tar.zst");
  mkdirSync(one.scratch);
  const argv = ["tar", "-x", "--zstd", "-f", file, "-C", one.scratch, "--warning=no-unknown-keyword"];
  expect((await run({ argv })).stderr).toBe("");
  for (const key of one.s3.objects.keys()) expect(readFileSync(join(one.scratch, key), "utf8")).toBe(`of ${key}`);
});

it("gives an index of everything that is there", async () => {
  await using one = await world();
  const result = await one.backups.make(memoryConfig(one.s3));
  const objects = await indexOf(one.backups.reader(result));
  expect(objects.map(({ key }) => key).sort()).toEqual([...one.s3.objects.keys()].sort());
});
