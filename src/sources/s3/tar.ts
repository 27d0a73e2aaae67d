import { AppError } from "../../core/errors.ts";

/** Tar's unit: headers are one block, contents are padded to whole ones. */
export const blockBytes = 512;
const zeros = Buffer.alloc(2 * blockBytes);
/** The largest size that a header can hold by itself: eleven octal digits. */
const largestPlain = 8 ** 11 - 1;

/** A file in an archive, before its content. */
export interface TarFile {
  /** Any text: it is a pax record, not a path that is restored as it is. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Pax records with a vendor's name of their own. */
  readonly records: Readonly<Record<string, string>>;
}

/** What a key is called in an archive: unpacked by hand, one that begins with a slash leads nowhere else. */
export function pathOf(key: string): string {
  return `./${key}`;
}

/** The blocks in front of a file's content: one for what a plain header can not hold, and the plain header. */
export function tarHeader({ path, size, modified, records }: TarFile): Buffer {
  const all = { path, mtime: String(modified.getTime() / 1000), ...records };
  const pax = Buffer.concat(
    Object.entries(size > largestPlain ? { ...all, size: String(size) } : all).map(([name, value]) =>
      paxRecord(name, value),
    ),
  );
  const seconds = Math.max(0, Math.floor(modified.getTime() / 1000));
  return Buffer.concat([
    plainHeader("x", pax.length, seconds),
    pax,
    padding(pax.length),
    plainHeader("0", Math.min(size, largestPlain), seconds),
  ]);
}

/** What follows a content of this size. */
export function padding(size: number): Buffer {
  return zeros.subarray(0, (blockBytes - (size % blockBytes)) % blockBytes);
}

/** The end of an archive. */
export const tarEnd: Buffer = zeros;

/** `<length> <name>=<value>\n`, where the length counts itself. */
function paxRecord(name: string, value: string): Buffer {
  const rest = Buffer.from(` ${name}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function plainHeader(type: "x" | "0", size: number, seconds: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(type === "x" ? "pax" : "object", 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${octal(size)}\0`, 124);
  block.write(`${octal(Math.min(seconds, largestPlain))}\0`, 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function octal(value: number): string {
  return value.toString(8).padStart(11, "0");
}

/** The sum of a header's bytes, its own field counted as spaces. */
function checksum(block: Buffer): number {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  return sum;
}

/** A file of an archive that is being read. Its content is passed over when it is not read. */
export interface TarEntry {
  /** Counted from 0. */
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly body: AsyncIterable<Buffer>;
}

/** Longer than any object's own: it would be somebody else's archive. */
const mostPaxBytes = 1024 * 1024;

/** The files of an archive as `tarHeader` writes it. Throws `source-failed` for anything else, and for one that is cut. */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const input = new Input(chunks);
  try {
    for (let number = 0; ; number += 1) {
      const file = await readHeader(input);
      if (file === undefined) return await input.end();
      const body = input.content(file.size);
      yield { number, ...file, body };
      for await (const _rest of body) {
        // What nobody has read.
      }
      await input.take(padding(file.size).length);
    }
  } finally {
    // Whoever stops in the middle ends what is behind it too.
    await input.close();
  }
}

/** The next file, or undefined at the archive's end. */
async function readHeader(input: Input): Promise<{ path: string; size: number } | undefined> {
  const first = await input.take(blockBytes);
  if (first.equals(zeros.subarray(0, blockBytes))) return undefined;
  const paxSize = typeOf(first) === "x" ? sizeOf(first) : Number.NaN;
  if (!(paxSize <= mostPaxBytes)) throw broken("no header, or one that is too large");
  const pax = await input.take(paxSize + padding(paxSize).length);
  const records = parsePax(pax.subarray(0, paxSize));
  const header = await input.take(blockBytes);
  if (typeOf(header) !== "0") throw broken("something that is no file");
  const path = records.get("path");
  const size = Number(records.get("size") ?? sizeOf(header));
  if (path === undefined || !Number.isSafeInteger(size) || size < 0) throw broken("a header without a name");
  return { path, size };
}

function typeOf(header: Buffer): string {
  if (Number.parseInt(header.toString("latin1", 148, 156), 8) !== checksum(header)) throw broken("a damaged header");
  return header.toString("latin1", 156, 157);
}

function sizeOf(header: Buffer): number {
  return Number.parseInt(header.toString("latin1", 124, 136), 8);
}

function parsePax(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let offset = 0; offset < bytes.length; ) {
    const space = bytes.indexOf(32, offset);
    const length = Number(bytes.toString("latin1", offset, space));
    const equals = bytes.indexOf(61, space);
    if (space === -1 || equals === -1 || !(length > 0) || offset + length > bytes.length) throw broken("a bad record");
    records.set(bytes.toString("utf8", space + 1, equals), bytes.toString("utf8", equals + 1, offset + length - 1));
    offset += length;
  }
  return records;
}

/** Chunks of any sizes, read in pieces of given ones. */
class Input {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async take(size: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.content(size)) pieces.push(piece);
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  /** So many bytes, as they come. What is left of them when the reader stops is given to whoever goes on reading. */
  content(size: number): AsyncIterable<Buffer> {
    let left = size;
    const next = async (): Promise<IteratorResult<Buffer, undefined>> => {
      if (left === 0) return { done: true, value: undefined };
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true) throw broken("it ends in the middle");
        this.#rest = value;
        return await next();
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Reads to the end of the archive, behind which nothing but zeros may be. */
  async end(): Promise<void> {
    for (let chunk = this.#rest; ; ) {
      if (chunk.some((byte) => byte !== 0)) throw broken("something behind its end");
      const { done, value } = await this.#chunks.next();
      if (done === true) return;
      chunk = value;
    }
  }
}

function broken(how: string): AppError {
  return new AppError("source-failed", `the archive can not be read: ${how}`, {
    context: { step: "archive" },
    text: { key: "error-s3-archive" },
  });
}
