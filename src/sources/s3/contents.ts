import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { BackupReader } from "../types.ts";
import { shownKey } from "./keys.ts";
import type { IndexObject } from "./lines.ts";
import { pathOf, readTar } from "./tar.ts";
import { unpacked } from "./unpack.ts";

/** An object of a backup with its content, to be read before the next one is asked for. */
export interface Content {
  readonly object: IndexObject;
  /** Fails with `Different` at its end when it is not what was backed up. */
  readonly body: AsyncIterable<Buffer>;
}

/** What is wanted of a backup: all of an index, or some of its objects in the same order. */
export interface Wanted {
  /** Ids of the runs whose archives are needed. */
  readonly runs: ReadonlySet<string>;
  /** False when nothing of the backup's own archive is. */
  readonly own?: boolean;
  objects(signal: AbortSignal): AsyncGenerator<IndexObject>;
}

/** A content whose SHA-256 is not the index's. */
export class Different extends Error {
  readonly found: string;

  constructor(key: string, found: string) {
    super(`${shownKey(key)} has another content than was backed up`);
    this.found = found;
  }
}

/**
 * All objects of a backup that are wanted, by the archives that they lie in: each archive is read once, to its end, and
 * every one of its objects that the index points at comes in the order in which they lie there. Fails when one is missing.
 */
export async function* contentsOf(
  reader: BackupReader,
  index: Wanted,
  options: { readonly signal: AbortSignal; readonly onBytes?: (bytes: number) => void },
): AsyncGenerator<Content> {
  const { manifest } = reader;
  for (const reference of manifest.references) {
    if (!index.runs.has(reference.run)) continue;
    yield* wantedOf(index, reference.run, () => reader.openReference(reference), options);
  }
  const own = manifest.parts.find(({ role }) => role === "artifact");
  if (own && index.own !== false) yield* wantedOf(index, undefined, () => reader.open(own), options);
}

async function* wantedOf(
  index: Wanted,
  run: string | undefined,
  open: () => Promise<Readable>,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes?: (bytes: number) => void },
): AsyncGenerator<Content> {
  const wanted = inRun(index.objects(signal), run);
  try {
    let next = await wanted.next();
    // Not before: until somebody reads it nobody would hear of its error.
    const part = await open();
    for await (const { number, path, size, body } of readTar(unpacked(part, signal, onBytes))) {
      if (next.done === true || next.value.entry !== number) continue;
      const object = next.value;
      if (pathOf(object.key) !== path || object.size !== size) throw unlike(object);
      yield { object, body: checked(object, body) };
      next = await wanted.next();
    }
    if (next.done !== true) throw unlike(next.value);
  } finally {
    await wanted.return(undefined);
  }
}

/** Archives are made in the order of keys, which is that of the index. */
async function* inRun(objects: AsyncIterable<IndexObject>, run: string | undefined): AsyncGenerator<IndexObject> {
  for await (const object of objects) if (object.in === run) yield object;
}

async function* checked({ key, sha256 }: IndexObject, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest("hex");
  if (found !== sha256) throw new Different(key, found);
}

function unlike({ key }: IndexObject): AppError {
  const object = shownKey(key);
  return new AppError("source-failed", `the archive does not have ${object} where the index says`, {
    context: { step: "archive", key: object },
    text: { key: "error-s3-missing", args: { object } },
  });
}
