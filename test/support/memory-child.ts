/**
 * Backs up so many MiB of random bytes into a folder and a bucket, encrypted, and prints its own peak memory in MiB:
 * `node memory-child.ts <MiB> <JSON of the storages>`.
 */
import { readFileSync } from "node:fs";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { startPipeline } from "../../src/lib/process.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import type { Source, SourcePart } from "../../src/sources/types.ts";
import { orderOf, storageOf } from "./backup.ts";

const [, , size = "1", configs = "{}"] = process.argv;
const bytes = Number(size) * 1024 * 1024;
const info = { title: { key: "test" }, facts: {}, expectedRawBytes: bytes };

async function* parts(signal: AbortSignal): AsyncGenerator<SourcePart> {
  const { stdout, done } = startPipeline([{ argv: ["head", "-c", String(bytes), "/dev/urandom"] }], { signal });
  yield { role: "artifact", file: "artifact.bin", stream: stdout, done: done.then(() => ({})) };
}

const source: Source = {
  kind: "random",
  counts: "off",
  inspect: () => Promise.resolve(info),
  open: (signal) =>
    Promise.resolve({ info, parts: () => parts(signal), [Symbol.asyncDispose]: () => Promise.resolve() }),
};

const storages = Object.entries(JSON.parse(configs) as Record<string, object>).map(([name, config]) =>
  storageOf(name, config),
);
const { manifest, copies } = await runBackup(
  orderOf({ source, storages, recipients: [await recipientOf(await generateIdentity())] }),
);
const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
process.stdout.write(
  `${JSON.stringify({ peak, bytes: manifest.parts[0]?.bytes, copies: copies.map(({ status }) => status) })}\n`,
);
for (const storage of storages) await storage.close();
