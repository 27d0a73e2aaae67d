// Loads what the two processes load, so that NODE_COMPILE_CACHE holds it compiled; starts nothing.
import { readdir } from "node:fs/promises";
import { saveMemory } from "../src/app/v8-flags.ts";

// As src/bot.ts and src/worker.ts do: V8 rejects what was compiled under other flags, and they would compile it all anew.
saveMemory();

const src = new URL("../src/", import.meta.url);
for (const file of ["app/entry.ts", "app/run-bot.ts", "app/run-worker.ts", "app/worker-deps.ts"]) {
  await import(new URL(file, src).href);
}
await import(new URL("../jobs/index.ts", import.meta.url).href);
// Much of these is loaded when it is first asked for.
for (const folder of ["providers/", "services/", "sources/", "storages/"]) {
  for (const file of (await readdir(new URL(folder, src), { recursive: true })).sort()) {
    if (file.endsWith(".ts")) await import(new URL(folder + file, src).href);
  }
}
// By the first request to a bucket.
await Promise.all([import("@aws-sdk/client-s3"), import("@smithy/node-http-handler")]);
