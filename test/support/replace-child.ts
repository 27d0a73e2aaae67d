import { readFileSync, writeFileSync } from "node:fs";
import { parseManifest } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal, ReplacementMethod } from "../../src/core/replacement.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { createBeside } from "../../src/sources/postgres/replace/besides.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { thisMachine } from "../../src/sources/postgres/unpacked.ts";
import type { ReplacementContext } from "../../src/sources/replacement.ts";
import { quiet, storageOf } from "./backup.ts";
import { replacerOf } from "./replace.ts";

/** What a child does and where it dies. */
export interface ChildOrder {
  readonly operation: "prepare" | "swap" | "undo" | "discard" | "make";
  /** When this step was recorded, or at the first bytes of the data. */
  readonly dieAt: string;
  readonly url: string;
  readonly store: string;
  readonly manifest: string;
  readonly journal: string;
  readonly identity: ReplacementIdentity;
  readonly method?: ReplacementMethod;
  /** Of `make`: beside, and what of it. */
  readonly to?: string;
  readonly pick?: string;
  /** Where archives are unpacked, as on a machine of four cores. */
  readonly folder?: string;
}

const order = JSON.parse(process.argv[2] ?? "") as ChildOrder;
const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};
const manifest = parseManifest(readFileSync(order.manifest));
const reader = openBackup(storageOf("local", { kind: "local", path: order.store }), manifest);
const context: ReplacementContext = {
  reader,
  identity: order.identity,
  signal: new AbortController().signal,
  journal: JSON.parse(readFileSync(order.journal, "utf8")) as ReplacementJournal,
  record: async (journal) => {
    writeFileSync(order.journal, JSON.stringify(journal));
    if (journal.step === order.dieAt) die();
  },
  progress: () => {
    if (order.dieAt === "bytes") die();
  },
};
const { to = "", pick, folder } = order;
const machine = folder === undefined ? thisMachine : { cores: () => 4, folder };
const replacer = replacerOf(order.url, order.method && { method: order.method });
if (order.operation === "make") {
  const config = postgresSchema.parse({ kind: "postgres", url: order.url });
  const beside = createBeside(config, { id: "r1", logger: quiet, to, ...(pick !== undefined && { pick }) }, machine);
  await beside.make(reader, context);
} else if (order.operation === "prepare") await replacer.prepare(reader, context);
else await replacer[order.operation](context);
