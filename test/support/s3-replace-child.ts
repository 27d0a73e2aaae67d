import { readFileSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { parseManifest } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal } from "../../src/core/replacement.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import type { ReplacementContext } from "../../src/sources/replacement.ts";
import { storageOf } from "./backup.ts";
import { bucketBeside, bucketReplacer } from "./s3-replace.ts";

/** What a child does. It dies when its server says so, by never getting an answer. */
export interface BucketChildOrder {
  readonly operation: "prepare" | "swap" | "undo" | "discard" | "make";
  readonly config: object;
  readonly store: string;
  readonly manifest: string;
  readonly journal: string;
  readonly identity: ReplacementIdentity;
}

// Whoever is killed keeps nothing of what was compiled; this is loaded by the first request only.
await import("@aws-sdk/client-s3");
flushCompileCache();

const order = JSON.parse(process.argv[2] ?? "") as BucketChildOrder;
const manifest = parseManifest(readFileSync(order.manifest));
const reader = openBackup(storageOf("local", { kind: "local", path: order.store }), manifest);
const context: ReplacementContext = {
  identity: order.identity,
  signal: new AbortController().signal,
  journal: JSON.parse(readFileSync(order.journal, "utf8")) as ReplacementJournal,
  record: async (journal) => writeFileSync(order.journal, JSON.stringify(journal)),
  reader,
};
if (order.operation === "make") await bucketBeside(order.config).make(reader, context);
else {
  const replacer = bucketReplacer(order.config);
  if (order.operation === "prepare") await replacer.prepare(reader, context);
  else await replacer[order.operation](context);
}
