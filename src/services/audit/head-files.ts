import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { canonical, type DatedHead } from "../../core/audit.ts";
import type { Storage } from "../../storages/types.ts";

/** Where heads lie in a storage, beside the backups: no backup has such a folder, so that nothing of ours removes them. */
export const headsFolder = "audit/heads/";

const schema = z.object({
  version: z.literal(1),
  date: z.iso.date(),
  at: z.iso.datetime(),
  seq: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  chain: z.string().regex(/^[0-9a-f]{64}$/),
});

/** More than a head needs; what is longer is none. Bytes. */
const mostBytes = 4096;

/** `audit/heads/2026-11-21.json` */
export function headKey(date: string): string {
  return `${headsFolder}${date}.json`;
}

function dateOf(key: string): string | undefined {
  return /^audit\/heads\/(\d{4}-\d\d-\d\d)\.json$/.exec(key)?.[1];
}

/** Writes a head into a storage that has none of this day. */
export async function writeHead(storage: Storage, head: DatedHead, signal: AbortSignal): Promise<void> {
  const bytes = new TextEncoder().encode(`${canonical({ version: 1, ...head })}\n`);
  await storage.put(headKey(head.date), bytes, signal);
}

/** Days whose heads lie in a storage, with their sizes in bytes, in their order. */
export async function headDates(storage: Storage, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const dates = new Map<string, number>();
  for await (const { key, bytes } of storage.list(headsFolder, signal)) {
    const date = dateOf(key);
    if (date !== undefined) dates.set(date, bytes);
  }
  return dates;
}

/** The head of a day; undefined: what lies there is none. */
export async function readHead(storage: Storage, date: string, signal: AbortSignal): Promise<DatedHead | undefined> {
  const text = (await buffer(await storage.read(headKey(date), signal))).toString("utf8");
  if (text.length > mostBytes) return undefined;
  try {
    const { version: _, ...head } = schema.parse(JSON.parse(text));
    return head.date === date ? head : undefined;
  } catch {
    return undefined;
  }
}

/** Larger than any head: not read. */
export function isTooLarge(bytes: number): boolean {
  return bytes > mostBytes;
}
