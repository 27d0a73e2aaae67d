/**
 * A worker that carries out the retention and is there to be killed: `node prune-child.ts <JSON>`. It prints a line for
 * every key that is deleted, and stops for ever before the deletion of number `stopAt`.
 */
import { pino } from "pino";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";
import { aBackup, retentionConfig } from "./retention-config.ts";

const { redis, path, now, stopAt } = JSON.parse(process.argv[2] ?? "") as {
  redis: { url: string; prefix: string };
  path: string;
  now: string;
  stopAt: number;
};
const forEver = () => new Promise<never>(() => setInterval(() => undefined, 1000));
const config = retentionConfig(redis, { storages: { local: { kind: "local", path } }, backups: [aBackup()] });
const clock = { now: () => new Date(now) };
const { deps } = createWorkerDeps({ config, logger: pino({ level: "silent" }), clock, role: "child" });
const local = await deps.storage("local");
const remove = local.delete.bind(local);
let count = 0;
local.delete = async (keys, signal) => {
  for (const key of keys) {
    if (count === stopAt) {
      process.stdout.write("stopped\n");
      await forEver();
    }
    count += 1;
    await remove([key], signal);
    process.stdout.write(`${key}\n`);
  }
};
const context = { signal: new AbortController().signal, jobId: "job", attempt: 1, maxAttempts: 1 };
await deps.pruner.execute({ storage: "local", name: "app" }, context);
process.stdout.write("done\n");
await forEver();
