import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The same numbers every time (xorshift). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/** A tree of so many small texts, 100 bytes to 2 KiB each, 500 in a folder. */
export async function makeTree(path: string, files: number): Promise<void> {
  const random = numbers(7);
  const words = Array.from({ length: 2000 }, () => random.next().value.toString(36));
  for (let folder = 0; folder * 500 < files; folder += 1) {
    const name = join(path, `folder-${String(folder).padStart(4, "0")}`);
    await mkdir(name, { recursive: true });
    const inside = Array.from({ length: Math.min(500, files - folder * 500) }, (_, index) => index);
    await Promise.all(
      inside.map((index) => {
        const length = 15 + (random.next().value % 285);
        const text = Array.from({ length }, () => words[random.next().value % words.length]).join(" ");
        return writeFile(join(name, `document-${String(index).padStart(3, "0")}.txt`), text);
      }),
    );
  }
}

/** A folder with one file that nothing can make smaller. */
export async function makeLargeFile(path: string, bytes: number): Promise<void> {
  await mkdir(path, { recursive: true });
  const random = numbers(11);
  const block = new Uint32Array(1024 * 1024);
  const file = await open(join(path, "large.bin"), "w");
  for (let written = 0; written < bytes; written += block.byteLength) {
    for (let index = 0; index < block.length; index += 1) block[index] = random.next().value;
    await file.write(block, 0, Math.min(block.byteLength, bytes - written));
  }
  await file.close();
}
