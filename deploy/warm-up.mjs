// Loads what the two processes load, so that NODE_COMPILE_CACHE holds it compiled; starts nothing.
import { saveMemory } from "../src/app/v8-flags.ts";

// As src/bot.ts and src/worker.ts do: V8 rejects what was compiled under other flags, and they would compile it all anew.
saveMemory();

for (const file of ["app/entry.ts", "app/run-bot.ts", "app/run-worker.ts", "app/worker-deps.ts"]) {
  await import(new URL(`../src/${file}`, import.meta.url).href);
}
await import(new URL("../jobs/index.ts", import.meta.url).href);
// Loaded when it is first asked for.
for (const file of [
  "providers/local/provider.ts",
  "providers/node-exporter/provider.ts",
  "providers/timeweb/provider.ts",
  "services/approvals/handlers.ts",
  "services/approvals/runner.ts",
  "services/audit/heads.ts",
  "services/backup/links.ts",
  "services/backup/verifier.ts",
  "services/drills/runner.ts",
  "services/power/execution.ts",
  "services/power/follower.ts",
  "services/recovery/recovery.ts",
  "services/restorations/worker.ts",
  "services/servers/inventory-reader.ts",
  "services/servers/managed-backups.ts",
  "services/servers/poller.ts",
  "services/servers/rules.ts",
]) {
  await import(new URL(`../src/${file}`, import.meta.url).href);
}
// By the first request to a bucket.
await Promise.all([import("@aws-sdk/client-s3"), import("@smithy/node-http-handler")]);
