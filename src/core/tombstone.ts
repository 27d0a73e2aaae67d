import { z } from "zod";

/**
 * Beside a backup that is being removed, from before its manifest goes until the last of its files has gone: whoever
 * finds it without a manifest can finish the removal, knowing nothing else.
 */
export const tombstoneFile = "removing.json";

const tombstoneSchema = z.strictObject({
  version: z.literal(1),
  /** The folder that it lies in. */
  folder: z.string(),
  /** When the removal began, ISO 8601. */
  at: z.iso.datetime(),
  /** Files of the backup: nothing else is removed. */
  files: z.array(z.string().regex(/^[^/]+$/)),
});

export type Tombstone = z.infer<typeof tombstoneSchema>;

export function encodeTombstone(tombstone: Tombstone): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(tombstoneSchema.parse(tombstone), null, 2)}\n`);
}

/** Undefined for what is none, or that of another folder: nothing is removed by it then. */
export function parseTombstone(bytes: Uint8Array, folder: string): Tombstone | undefined {
  try {
    const tombstone = tombstoneSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return tombstone.folder === folder ? tombstone : undefined;
  } catch {
    return undefined;
  }
}
