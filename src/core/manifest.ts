import { z } from "zod";

/** Version of the manifest's shape; a reader refuses a newer one. */
export const manifestVersion = 1;

const partSchema = z.object({
  /** What the part is: `artifact` (the data) or `globals` (roles and tablespaces of a PostgreSQL cluster). */
  role: z.string(),
  /** File name beside the manifest. */
  file: z.string(),
  /** Bytes and SHA-256 (hex) of the file as stored: compressed and encrypted. */
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes before compression and encryption. */
  rawBytes: z.number().int().nonnegative().optional(),
  database: z.string().optional(),
  /** Exact rows per table ("schema.table"), counted in the dump's own snapshot. */
  tables: z.record(z.string(), z.number().int().nonnegative()).optional(),
});

/**
 * What a backup is, written last and byte-identical into every storage. An object without a manifest beside it is
 * not a backup. Which copies exist is not in it: that is derived from where the manifest is.
 */
export const manifestSchema = z.object({
  version: z.literal(manifestVersion),
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  vakhta: z.string(),
  /** Host of the worker that made it. */
  host: z.string(),
  /** Versions and identity as the source reports them: `pg_dump`, `server`, `systemIdentifier`, `databaseOid`. */
  source: z.record(z.string(), z.string()),
  parts: z.array(partSchema).min(1),
  /** Parts of earlier runs that this backup needs; retention keeps what is referenced. */
  references: z.array(z.object({ run: z.string(), file: z.string(), sha256: z.string() })),
  compression: z.enum(["zstd", "none"]),
  encryption: z.object({ format: z.literal("age"), recipients: z.array(z.string()).min(1) }).optional(),
  counts: z.enum(["exact", "off"]),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestPart = z.infer<typeof partSchema>;

export const manifestFile = "manifest.json";

/**
 * The folder of a run's attempt below a storage's prefix: `<backup name>/<UTC time>-<run id>/`, whose time is the
 * attempt's beginning.
 */
export function runFolder(name: string, startedAt: Date, runId: string): string {
  const time = startedAt
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:]/g, "");
  return `${name}/${time}-${runId}/`;
}

/** The folder in which a backup lies, by its manifest. */
export function manifestFolder(manifest: Manifest): string {
  return runFolder(manifest.name, new Date(manifest.startedAt), manifest.id);
}

/** The manifest's bytes: keys in schema order, two spaces, a newline at the end, so that copies are identical. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`);
}
