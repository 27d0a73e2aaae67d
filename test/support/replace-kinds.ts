import { spawnSync } from "node:child_process";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeManifest, parseManifest } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal } from "../../src/core/replacement.ts";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import type { Beside, BesideOrder, ReplacementOrder, Replacer } from "../../src/sources/replacement.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { quiet, sourceOf } from "./backup.ts";
import { readerOf, takeParts } from "./parts.ts";

type Config = { readonly kind: string } & Record<string, unknown>;

const { signal } = new AbortController();

/** A replacer of any kind of source, as the program would make it. */
export function replacerFor(config: Config, order: Partial<ReplacementOrder> = {}): Replacer {
  const replacer = kindOf(config.kind).replacer?.(sourceSchema.parse(config), { id: "r1", logger: quiet, ...order });
  if (replacer === undefined) throw new Error("this kind does not replace");
  return replacer;
}

/** The same for a restore beside. */
export function besideFor(config: Config, order: Partial<BesideOrder> & { readonly to: string }): Beside {
  const beside = kindOf(config.kind).beside?.(sourceSchema.parse(config), { id: "r1", logger: quiet, ...order });
  if (beside === undefined) throw new Error("this kind does not restore beside");
  return beside;
}

/** A backup made now, with what the source says of itself. */
export async function backupOf(config: Config): Promise<BackupReader> {
  const startedAt = new Date().toISOString();
  const source = sourceOf(config);
  const { facts } = await source.inspect(signal);
  const reader = readerOf(config.kind, await takeParts(source), facts);
  return { ...reader, manifest: { ...reader.manifest, startedAt } };
}

/** Writes a backup as files, so that another process can read it. */
export async function writeBackup(reader: BackupReader, folder: string): Promise<void> {
  for (const part of reader.manifest.parts) {
    const chunks: Buffer[] = [];
    for await (const chunk of await reader.open(part)) chunks.push(chunk as Buffer);
    writeFileSync(join(folder, part.file), Buffer.concat(chunks));
  }
  writeFileSync(join(folder, "manifest.json"), encodeManifest(reader.manifest));
}

/** Reads it. */
export function readBackup(folder: string): BackupReader {
  return {
    manifest: parseManifest(readFileSync(join(folder, "manifest.json"))),
    open: async (part) => createReadStream(join(folder, part.file)),
    openReference: () => Promise.reject(new Error("there are no references")),
  };
}

/** What a child does with a backup that lies in a folder, and where it dies. */
export interface KindOrder {
  readonly config: Config;
  /** Default: "r1". */
  readonly id?: string;
  readonly to?: string;
  readonly operation: "prepare" | "swap" | "undo" | "discard" | "make" | "recover";
  /**
   * When this step was recorded, or at the first bytes of the data. `replica`: when a Redis has been made one. `loading`: when it loads. `equal`: when
   * it has all data.
   */
  readonly dieAt: string;
  readonly backup: string;
  readonly former?: string;
  readonly identity: ReplacementIdentity;
}

const child = new URL("./replace-kinds-child.ts", import.meta.url).pathname;

/** Lets a child do it until it dies. The journal is what it has recorded last. Throws when it has not died there. */
export function runUntilKilled(order: KindOrder): ReplacementJournal | undefined {
  const { signal: killed, stderr } = spawnSync(process.execPath, [child, JSON.stringify(order)], {
    encoding: "utf8",
    timeout: 60_000,
    killSignal: "SIGTERM",
  });
  if (killed !== "SIGKILL") throw new Error(`it was not killed at ${order.dieAt}: ${stderr}`);
  return journalIn(order.backup);
}

export function journalIn(folder: string): ReplacementJournal | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "journal.json"), "utf8")) as ReplacementJournal;
  } catch {
    return undefined;
  }
}
