import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { S3 } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { processorMs } from "./cpu.ts";
import type { SourceWorld } from "./source-world.ts";

/** One measured run: milliseconds, of the clock and of the processor (all programs, without the servers). */
export interface Timed {
  readonly ms: number;
  readonly cpuMs: number;
  /** Of what was stored. */
  readonly bytes: number;
}

/** Shell lines that write a backup to their output, as somebody would have them in a script. */
export class Pipes implements Disposable {
  readonly #world: SourceWorld;
  readonly #client: S3;

  constructor(world: SourceWorld) {
    this.#world = world;
    const { endpoint, region, accessKeyId, secretAccessKey } = world.s3;
    this.#client = new S3({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  }

  /** Its output in a file. */
  toFile(line: string): Promise<Timed> {
    return this.#timed(async (file) => {
      const child = start(`${line} > "$FILE"`, file);
      child.stdout.resume();
      await ended(child, line);
    });
  }

  /** Its output in a file and, at the same time, in the bucket by the SDK's own upload with its own defaults. */
  toFileAndBucket(line: string): Promise<Timed> {
    return this.#timed(async (file) => {
      const child = start(`${line} | tee "$FILE"`, file);
      const params = { Bucket: this.#world.s3.bucket, Key: "script/artifact", Body: child.stdout };
      await Promise.all([new Upload({ client: this.#client, params }).done(), ended(child, line)]);
    });
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #timed(action: (file: string) => Promise<void>): Promise<Timed> {
    const file = join(this.#world.folder, "script-artifact");
    try {
      const cpuBefore = processorMs(process.pid);
      const started = performance.now();
      await action(file);
      const ms = performance.now() - started;
      return { ms, cpuMs: processorMs(process.pid) - cpuBefore, bytes: (await stat(file)).size };
    } finally {
      await rm(file, { force: true });
    }
  }
}

function start(line: string, file: string) {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C.UTF-8", FILE: file };
  return spawn("bash", ["-o", "pipefail", "-c", line], { env, stdio: ["ignore", "pipe", "pipe"] });
}

/** A failure anywhere in the pipe fails it. */
async function ended(child: ReturnType<typeof start>, line: string): Promise<void> {
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (code !== 0) throw new Error(`${line} ended with ${code}: ${complaint}`);
}
