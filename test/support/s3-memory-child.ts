/**
 * Backs a bucket up into a folder, twice, and prints its own peak memory in MiB and the seconds of each run:
 * `node s3-memory-child.ts <folder> <JSON of the source>`.
 */
import { readFileSync } from "node:fs";
import { findPrevious } from "../../src/services/backup/previous.ts";
import { quiet, storageOf } from "./backup.ts";
import { Backups } from "./bucket.ts";

const [, , path = "", config = "{}"] = process.argv;
const storages = [storageOf("local", { kind: "local", path })];
const backups = new Backups(storages);
const { signal } = new AbortController();
const seconds: number[] = [];
const runs: unknown[] = [];
for (let run = 0; run < 2; run += 1) {
  const begin = performance.now();
  const query = { name: "app", kind: "s3", storages, recipients: [], identity: undefined, signal, logger: quiet };
  const { manifest } = await backups.make(JSON.parse(config) as object, await findPrevious(query));
  seconds.push((performance.now() - begin) / 1000);
  const { added, unchanged } = manifest.source;
  runs.push({ added, unchanged, parts: manifest.parts.map(({ role, bytes, entries }) => ({ role, bytes, entries })) });
}
const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
process.stdout.write(`${JSON.stringify({ peak, seconds, runs })}\n`);
