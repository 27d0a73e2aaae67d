import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { BufferPool, gathered, release, releasing } from "../../src/lib/buffers.ts";

describe("releasing", () => {
  it("gives a chunk's memory back when the next one is asked for, and not before", async () => {
    const chunks = [Buffer.alloc(64 * 1024, 1), Buffer.alloc(64 * 1024, 2)];
    const read: number[] = [];
    for await (const chunk of releasing(
      (async function* () {
        yield* chunks;
      })(),
    )) {
      expect(chunk.length).toBe(64 * 1024);
      read.push(chunk[0] ?? 0);
    }
    expect(read).toEqual([1, 2]);
    expect(chunks.map((chunk) => chunk.length)).toEqual([0, 0]);
  });

  it("leaves alone what shares its memory", () => {
    const whole = Buffer.alloc(128 * 1024, 7);
    release(whole.subarray(0, 64 * 1024));
    release(Buffer.from("a small one, from the pool of all small ones"));
    expect(whole.equals(Buffer.alloc(128 * 1024, 7))).toBe(true);
    expect(Buffer.from("still works").toString()).toBe("still works");
  });
});

describe("gathered", () => {
  const bytes = (from: number, to: number): Buffer =>
    Buffer.from(Array.from({ length: to - from }, (_, n) => from + n));

  it.each([
    ["smaller chunks", [bytes(0, 3), bytes(3, 5), bytes(5, 10)], [4, 4, 2]],
    ["one that is larger than several pieces", [bytes(0, 1), bytes(1, 10)], [4, 4, 2]],
    ["chunks that end with a piece", [bytes(0, 4), bytes(4, 8)], [4, 4]],
    ["empty ones", [bytes(0, 0), bytes(0, 2), bytes(2, 2)], [2]],
    ["nothing", [], []],
  ])("makes pieces of one size out of %s", async (_, chunks, sizes) => {
    const pieces: Buffer[] = [];
    // Copied, since all of them have the same memory.
    for await (const piece of gathered(Readable.from(chunks, { objectMode: true }), 4)) pieces.push(Buffer.from(piece));
    expect(pieces.map(({ length }) => length)).toEqual(sizes);
    expect(Buffer.concat(pieces)).toEqual(Buffer.concat(chunks));
  });

  it("gives the chunks' memory back, and has nothing of its own for the next piece before it is asked for", async () => {
    const chunks = [Buffer.alloc(64 * 1024, 1), Buffer.alloc(64 * 1024, 2)];
    const read: number[] = [];
    for await (const piece of gathered(Readable.from(chunks, { objectMode: true }), 64 * 1024)) {
      await Promise.resolve();
      read.push(piece[0] ?? 0, piece.at(-1) ?? 0);
    }
    expect(read).toEqual([1, 1, 2, 2]);
    expect(chunks.map(({ length }) => length)).toEqual([0, 0]);
  });

  it("hands on what there is when no more comes for a moment, and nothing twice", async () => {
    const source = new PassThrough();
    const pieces: string[] = [];
    source.write("one");
    for await (const piece of gathered(source, 1000)) {
      pieces.push(Buffer.from(piece).toString());
      if (pieces.length === 1) source.write("two");
      else source.end();
    }
    expect(pieces).toEqual(["one", "two"]);
  });

  it("is left at once by who has enough, also while it waits for more; a late error is nobody's", async () => {
    const source = new PassThrough();
    source.write("one");
    for await (const piece of gathered(source, 1000)) {
      expect(Buffer.from(piece).toString()).toBe("one");
      break;
    }
    const closed = new Promise((resolve) => source.once("close", resolve));
    source.destroy(new Error("late"));
    await closed;
    // An unhandled rejection fails the run.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("passes its source's failure on", async () => {
    const failing = async function* () {
      yield Buffer.from("one");
      throw new Error("no more");
    };
    const pieces: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const piece of gathered(failing(), 1000)) pieces.push(Buffer.from(piece).toString());
    };
    await expect(reading()).rejects.toThrow("no more");
    expect(pieces).toEqual([]);
  });
});

describe("a pool of buffers", () => {
  it("gives back what it was given, by size, and keeps only so many", () => {
    const pool = new BufferPool(2);
    const [first, second, third] = [pool.take(10), pool.take(10), pool.take(20)];
    pool.give(first);
    pool.give(second);
    pool.give(third);
    expect(pool.take(20)).toBe(third);
    expect(pool.take(10)).toBe(second);
    expect(pool.take(10)).not.toBe(first);
  });

  it("gives the memory of unused ones back when another size is needed, but never that of those in use", () => {
    const pool = new BufferPool(4);
    const kibibyte = 1024;
    const [unused, inUse] = [pool.take(64 * kibibyte), pool.take(64 * kibibyte)];
    pool.give(unused);
    pool.give(pool.take(32 * kibibyte));
    expect([unused.length, inUse.length]).toEqual([0, 64 * kibibyte]);
  });
});
