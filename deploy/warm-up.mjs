// Loads what the two processes load, so that NODE_COMPILE_CACHE holds it compiled; starts nothing.
for (const file of ["app/entry.ts", "app/run-bot.ts", "app/run-worker.ts", "app/worker-deps.ts"]) {
  await import(new URL(`../src/${file}`, import.meta.url).href);
}
await import(new URL("../jobs/index.ts", import.meta.url).href);
// Loaded by the first request to a bucket.
await Promise.all([import("@aws-sdk/client-s3"), import("@smithy/node-http-handler")]);
