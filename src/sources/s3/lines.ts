import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { compareKeys } from "./keys.ts";

/** Version of the index's shape; a reader refuses a newer one. */
const indexVersion = 1;

const headSchema = z.object({
  index: z.literal("vakhta-s3"),
  version: z.number(),
  bucket: z.string(),
  prefix: z.string(),
});

/** An object of the bucket, and where its content lies. */
const objectSchema = z.object({
  key: z.string(),
  etag: z.string().optional(),
  /** Bytes. */
  size: z.int().nonnegative(),
  modified: z.iso.datetime(),
  /** Hex, of its content. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Id of the run whose archive holds it; none: this backup's own. */
  in: z.string().optional(),
  /** Which file of that archive it is, counted from 0. */
  entry: z.int().nonnegative(),
  type: z.string().optional(),
  encoding: z.string().optional(),
  disposition: z.string().optional(),
  language: z.string().optional(),
  cache: z.string().optional(),
  expires: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
/** An object that the backup before has, and the bucket no longer. */
const deletedSchema = z.object({ key: z.string(), deleted: z.literal(true) });

export type IndexObject = z.output<typeof objectSchema>;
export type IndexLine = IndexObject | z.output<typeof deletedSchema>;

/** The first line of an index. */
export function headLine(bucket: string, prefix: string): string {
  return `${JSON.stringify({ index: "vakhta-s3", version: indexVersion, bucket, prefix })}\n`;
}

export function indexLine(line: IndexLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Longer than any line can be: keys and metadata have limits. */
const longestLine = 256 * 1024;

/**
 * The lines of an unpacked index, in the order of keys. Throws `source-failed` for what is none, `manifest` for one of a
 * newer version.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<IndexLine> {
  let number = 0;
  let last: string | undefined;
  for await (const text of linesOf(chunks)) {
    number += 1;
    const data = parseJson(text);
    if (number === 1) {
      checkHead(data);
      continue;
    }
    const line = (isDeletion(data) ? deletedSchema : objectSchema).safeParse(data);
    if (!line.success) throw broken(`line ${number} makes no sense`);
    if (last !== undefined && compareKeys(line.data.key, last) <= 0) throw broken(`line ${number} is out of order`);
    last = line.data.key;
    yield line.data;
  }
  if (number === 0) throw broken("it is empty");
}

/** Only the objects. */
export async function* objectsOf(lines: AsyncIterable<IndexLine>): AsyncGenerator<IndexObject> {
  for await (const line of lines) if (!("deleted" in line)) yield line;
}

function isDeletion(data: unknown): boolean {
  return typeof data === "object" && data !== null && "deleted" in data;
}

function checkHead(data: unknown): void {
  const head = headSchema.safeParse(data);
  if (!head.success) throw broken("its first line makes no sense");
  const { version } = head.data;
  if (version <= indexVersion) return;
  throw new AppError("manifest", `the index has version ${version}, this program reads ${indexVersion} at most`, {
    text: { key: "error-manifest-newer", args: { version, known: indexVersion } },
  });
}

/** Pieces of text that end with a newline. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const pieces: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    let offset = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, offset)) {
      const piece = chunk.subarray(offset, end);
      offset = end + 1;
      if (pieces.length === 0) yield piece.toString("utf8");
      else {
        yield Buffer.concat([...pieces, piece]).toString("utf8");
        pieces.length = 0;
        held = 0;
      }
    }
    if (offset === chunk.length) continue;
    held += chunk.length - offset;
    if (held > longestLine) throw broken("a line is too long");
    pieces.push(chunk.subarray(offset));
  }
  if (pieces.length > 0) throw broken("it ends in the middle of a line");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function broken(how: string): AppError {
  return new AppError("source-failed", `the index can not be read: ${how}`, {
    context: { step: "index" },
    text: { key: "error-s3-index" },
  });
}
