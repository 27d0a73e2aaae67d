import { createHash } from "node:crypto";
import { z } from "zod";
import { AppError } from "./errors.ts";

/** Version of the manifest's shape; a reader refuses a newer one. */
export const manifestVersion = 1;

const partSchema = z.object({
  /**
   * What the part is: `artifact` (the data), `globals` (roles and tablespaces of a PostgreSQL cluster) or `index` (what
   * there is and where it lies, for a source whose backups build upon earlier ones).
   */
  role: z.string(),
  /** File name beside the manifest. */
  file: z.string(),
  /** Bytes and SHA-256 (hex) of the file as stored: compressed and encrypted. */
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes before compression and encryption. */
  rawBytes: z.number().int().nonnegative().optional(),
  database: z.string().optional(),
  /** Exact number of things in it: files and folders of an archive, keys of a Redis, objects of a bucket. */
  entries: z.number().int().nonnegative().optional(),
  /** Exact rows per table ("schema.table"), counted in the dump's own snapshot. */
  tables: z.record(z.string(), z.number().int().nonnegative()).optional(),
  /** Bytes that these tables had on the server's disk, without their indexes: how much of the rows is whose. */
  tableBytes: z.record(z.string(), z.number().int().nonnegative()).optional(),
});

/** A part of an earlier run that a backup needs to be restored. */
const referenceSchema = z.object({
  /** Id of the run that made it. */
  run: z.string(),
  /** That run's folder below the storage's prefix, as `runFolder` gives it. */
  folder: z.string(),
  file: z.string(),
  /** Of the file as stored, as in its own manifest. */
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * How a thing could not be backed up as it was: it changed or vanished while it was read, or could not be read. `skipped`:
 * it is nothing to store (a socket); `left-out`: it is, and is not in the backup (a database that lets nobody in).
 */
const noteSchema = z.object({
  kind: z.enum(["changed", "vanished", "unreadable", "skipped", "left-out"]),
  /** Path or key; bytes that are no UTF-8 as \ooo. */
  name: z.string(),
});

/** How many notes a manifest names. */
export const mostNotes = 100;

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
  references: z.array(referenceSchema),
  /** What could not be backed up as it was, the first `mostNotes` of it. */
  notes: z.array(noteSchema).optional(),
  /** How much of it there is. */
  notesTotal: z.number().int().positive().optional(),
  compression: z.enum(["zstd", "none"]),
  encryption: z.object({ format: z.literal("age"), recipients: z.array(z.string()).min(1) }).optional(),
  counts: z.enum(["exact", "off"]),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestPart = z.infer<typeof partSchema>;
export type ManifestReference = z.infer<typeof referenceSchema>;
export type ManifestNote = z.infer<typeof noteSchema>;

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

/** Stored bytes of everything that a backup needs, parts of earlier runs included. */
export function neededBytes({ parts, references }: Manifest): number {
  return [...parts, ...references].reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * The manifest's bytes: keys in schema order, two spaces, a newline at the end, so that copies are identical. Last comes
 * the SHA-256 of all the rest, so that each copy tells by itself when it was altered.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const fields = manifestSchema.parse(manifest);
  return new TextEncoder().encode(`${JSON.stringify({ ...fields, sha256: digestOf(fields) }, null, 2)}\n`);
}

/** Of the fields as JSON without spaces, in the order in which they stand there. */
function digestOf(fields: object): string {
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

const versioned = z.object({ version: z.number() });

/**
 * The manifest that these bytes are. Throws `manifest` for what is none, and, saying so, for one that was altered and for
 * one of a newer version: guessing what that means could restore the wrong thing.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  try {
    const data: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const { version } = versioned.parse(data);
    if (version > manifestVersion) {
      const text = { key: "error-manifest-newer", args: { version, known: manifestVersion } };
      const message = `the manifest has version ${version}, this program reads ${manifestVersion} at most: update it`;
      throw new AppError("manifest", message, { text });
    }
    // Manifests of the first versions have none.
    const { sha256, ...fields } = data as { readonly sha256?: unknown };
    if (sha256 !== undefined && sha256 !== digestOf(fields)) {
      throw new AppError("manifest", "the manifest is not as it was written", {
        text: { key: "error-manifest-digest" },
      });
    }
    return manifestSchema.parse(data);
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(error);
  }
}

function unreadable(cause: unknown): AppError {
  return new AppError("manifest", "the manifest cannot be read", { cause, text: { key: "error-manifest" } });
}
