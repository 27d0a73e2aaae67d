/**
 * The process that restores in `restore.ts`, so that its memory is that of a restore and nothing else. Is told what to do
 * by messages, and answers each.
 */
import { createLogger } from "../src/lib/logger.ts";
import { openBackup } from "../src/services/backup/reader.ts";
import { verifyStored } from "../src/services/backup/verify.ts";
import { kindOf, sourceSchema } from "../src/sources/index.ts";
import type { ReplacementContext, Replacer } from "../src/sources/replacement.ts";
import type { RestoreReport } from "../src/sources/types.ts";
import { openStorage, type StoredBackup } from "./restore-world.ts";

/** What it is told. */
export type ChildOrder =
  | { readonly step: "check"; readonly backup: StoredBackup }
  | { readonly step: "prepare"; readonly id: string; readonly url: string; readonly backup: StoredBackup }
  | { readonly step: "swap" }
  | { readonly step: "discard" };

/** What it answers: milliseconds, and what came of it. */
export interface ChildAnswer {
  readonly ms: number;
  readonly report?: RestoreReport;
  /** Milliseconds after the beginning at which each step was recorded. */
  readonly steps?: Readonly<Record<string, number>>;
  readonly refusedMs?: number;
  readonly error?: string;
}

const signal = new AbortController().signal;
let replacer: Replacer | undefined;
let context: ReplacementContext | undefined;
let steps: Record<string, number> = {};
let begun = 0;

process.on("message", (order: ChildOrder) => {
  void carryOut(order)
    .catch(
      (error: unknown): ChildAnswer => ({ ms: Number.NaN, error: error instanceof Error ? `${error.stack}` : "?" }),
    )
    .then((answer) => process.send?.(answer));
});

async function carryOut(order: ChildOrder): Promise<ChildAnswer> {
  begun = performance.now();
  steps = {};
  const ms = (): number => performance.now() - begun;
  if (order.step === "check") {
    await using storage = closing(openStorage(order.backup.storage));
    await verifyStored(storage.storage, order.backup.manifest, { signal });
    return { ms: ms() };
  }
  if (order.step === "prepare") {
    const report = await prepare(order);
    return { ms: ms(), report, steps };
  }
  if (replacer === undefined || context === undefined) throw new Error("nothing is prepared");
  if (order.step === "discard") {
    await replacer.discard(context);
    return { ms: ms() };
  }
  const { refusedMs } = await replacer.swap(context);
  return { ms: ms(), refusedMs, steps };
}

async function prepare({ id, url, backup }: Extract<ChildOrder, { step: "prepare" }>): Promise<RestoreReport> {
  const { manifest, identity } = backup;
  const logger = createLogger({ name: "bench", level: "silent" });
  replacer = kindOf("postgres").replacer?.(sourceSchema.parse({ kind: "postgres", url }), { id, logger });
  if (replacer === undefined) throw new Error("this kind does not replace");
  // What a person has seen before they agreed; no part of the restore.
  const { identity: target, obstacles } = await replacer.look(manifest, { signal });
  if (obstacles.length > 0) throw new Error(JSON.stringify(obstacles));
  begun = performance.now();
  const record: ReplacementContext["record"] = async ({ step }) => {
    steps[step] = performance.now() - begun;
  };
  context = { identity: target, journal: undefined, signal, record };
  await using storage = closing(openStorage(backup.storage));
  return await replacer.prepare(openBackup(storage.storage, manifest, { identity, signal }), context);
}

function closing(storage: ReturnType<typeof openStorage>) {
  return { storage, [Symbol.asyncDispose]: () => storage.close() };
}
