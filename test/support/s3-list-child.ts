/**
 * Makes an index of so many objects as a backup would have it, backs the unchanged bucket up upon it, and prints its own
 * peak memory in MiB: `node s3-list-child.ts <folder> <JSON of the source> <objects>`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { encodeManifest, type Manifest, manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import { findPrevious } from "../../src/services/backup/previous.ts";
import { placeFacts } from "../../src/sources/s3/base.ts";
import { IndexWriter } from "../../src/sources/s3/indexes.ts";
import { s3SourceSchema } from "../../src/sources/s3/schema.ts";
import { quiet, startedAt, storageOf } from "./backup.ts";
import { Backups, sha256 } from "./bucket.ts";
import { aManifest } from "./run.ts";
import { contentOf, keyOf, memoryDate } from "./s3-memory.ts";

const [, , path = "", text = "{}", count = "1"] = process.argv;
const storage = storageOf("local", { kind: "local", path });
const { signal } = new AbortController();
const config = s3SourceSchema.parse(JSON.parse(text));

async function putPart(folder: string, role: string, file: string, chunks: AsyncIterable<Uint8Array>, entries: number) {
  const writer = await storage.create(`${folder}${file}`, { signal });
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    await writer.write(chunk);
  }
  const expected = { bytes, sha256: hash.digest("hex") };
  await writer.commit(expected);
  return { role, file, entries, ...expected };
}

async function* noArchive(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("nobody reads it");
}

const base: Manifest = aManifest({
  kind: "s3",
  startedAt: new Date(startedAt.getTime() - 3_600_000).toISOString(),
  source: { ...placeFacts(config), fullAt: startedAt.toISOString() },
  references: [],
});
const folder = manifestFolder(base);
await using writer = await IndexWriter.create(config, 3, signal);
for (let number = 0; number < Number(count); number += 1) {
  const content = contentOf(number);
  await writer.add({
    key: keyOf(number),
    etag: createHash("md5").update(content).digest("hex"),
    size: content.length,
    modified: memoryDate.toISOString(),
    sha256: sha256(content),
    entry: number,
  });
}
const parts = [
  await putPart(folder, "artifact", "artifact.tar.zst", noArchive(), Number(count)),
  await putPart(folder, "index", "index.jsonl.zst", await writer.finish(), Number(count)),
];
await storage.put(`${folder}${manifestFile}`, encodeManifest({ ...base, parts }), signal);
const { name } = base;
const query = { name, kind: "s3", storages: [storage], recipients: [], identity: undefined, signal, logger: quiet };
const { manifest } = await new Backups([storage]).make(JSON.parse(text) as object, await findPrevious(query));
const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
process.stdout.write(`${JSON.stringify({ peak, source: manifest.source, entries: manifest.parts.at(-1)?.entries })}\n`);
