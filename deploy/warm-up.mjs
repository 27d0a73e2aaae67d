// Loads what the two processes load, so that NODE_COMPILE_CACHE holds it compiled; starts nothing.
import { setFlagsFromString } from "node:v8";

// Those of src/bot.ts and src/worker.ts: V8 rejects what was compiled under others, and they would compile it all anew.
for (const flag of ["--semi-space-growth-factor=1", "--memory-saver-mode", "--no-opt", "--no-maglev"])
  setFlagsFromString(flag);

for (const file of ["app/entry.ts", "app/run-bot.ts", "app/run-worker.ts", "app/worker-deps.ts"]) {
  await import(new URL(`../src/${file}`, import.meta.url).href);
}
await import(new URL("../jobs/index.ts", import.meta.url).href);
// Loaded by the first request to a bucket.
await Promise.all([import("@aws-sdk/client-s3"), import("@smithy/node-http-handler")]);
