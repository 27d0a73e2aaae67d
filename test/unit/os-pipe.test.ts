import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openPipe, readPaced } from "../../src/lib/os-pipe.ts";
import { startPipeline } from "../../src/lib/process.ts";

/** A folder for temporary files of this test alone. */
function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-test-"));
  vi.stubEnv("TMPDIR", folder);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Descriptors of this process that are open on pipes of that folder. */
function openIn(folder: string): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

describe("a pipe", () => {
  it("leaves neither a name nor an open end behind", () => {
    const folder = ownFolder();
    const pipe = openPipe();
    expect(readdirSync(folder)).toEqual([]);
    expect(openIn(folder)).toBe(2);
    pipe.close("read");
    pipe.close("read");
    pipe.close("write");
    expect(openIn(folder)).toBe(0);
  });

  it("of a program that could not be started leaves nothing open", () => {
    const folder = ownFolder();
    // More than the kernel takes for one argument.
    const command = { argv: ["true", "x".repeat(3_000_000)], onLine: () => true };
    for (const commands of [[command], [{ argv: ["cat"] }, command]])
      expect(() => startPipeline(commands)).toThrow(/E2BIG/);
    expect(openIn(folder)).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("that cannot be made says where", () => {
    vi.stubEnv("TMPDIR", join(ownFolder(), "missing"));
    expect(() => openPipe()).toThrow(/no pipe could be made in .*missing/);
  });

  it("carries between two programs what one writes, and ends with it", async () => {
    ownFolder();
    const pipe = openPipe();
    const writer = spawn("sh", ["-c", "seq 200000"], { stdio: ["ignore", pipe.write, "inherit"] });
    const reader = spawn("wc", ["-l"], { stdio: [pipe.read, "pipe", "inherit"] });
    pipe.close("read");
    pipe.close("write");
    const [lines] = await Promise.all([text(reader.stdout ?? process.stdin), once(writer, "exit")]);
    expect(lines.trim()).toBe("200000");
  });
});

describe("paced reading", () => {
  it("gives every byte in order, of a writer that writes line by line and of one that fills the pipe", async () => {
    ownFolder();
    for (const program of ["seq 1 30000 | while read n; do echo $n; done", "seq 1 30000"]) {
      const pipe = openPipe({ own: true });
      const writer = spawn("sh", ["-c", program], { stdio: ["ignore", pipe.write, "inherit"] });
      pipe.close("write");
      const [said] = await Promise.all([text(readPaced(pipe)), once(writer, "exit")]);
      expect(said).toBe(Array.from({ length: 30_000 }, (_, index) => `${index + 1}\n`).join(""));
    }
  });

  it("takes no more than there is room for from a reader that has stopped", async () => {
    const folder = ownFolder();
    const pipe = openPipe({ own: true });
    const writer = spawn("yes", [], { stdio: ["ignore", pipe.write, "ignore"] });
    const ended = once(writer, "exit");
    pipe.close("write");
    const stream = readPaced(pipe);
    await once(stream, "readable");
    const first = stream.readableLength;
    await vi.waitFor(() => expect(stream.readableLength).toBeGreaterThanOrEqual(first));
    expect(stream.readableLength).toBeLessThanOrEqual(3 * 64 * 1024);
    stream.destroy();
    await once(stream, "close");
    expect(openIn(folder)).toBe(0);
    expect((await ended)[0]).not.toBe(0);
  });

  it("waits for a writer that is silent, and ends when it goes", async () => {
    ownFolder();
    const pipe = openPipe({ own: true });
    const stream = readPaced(pipe);
    const chunks = stream.iterator();
    writeSync(pipe.write, "one\n");
    expect(String((await chunks.next()).value)).toBe("one\n");
    const second = chunks.next();
    writeSync(pipe.write, "two\n");
    expect(String((await second).value)).toBe("two\n");
    pipe.close("write");
    expect((await chunks.next()).done).toBe(true);
  });
});
