import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { startSidecar } from "../../src/sources/redis/replace/sidecar.ts";
import { startPrivateServer } from "../../src/sources/redis/server.ts";
import { temporaryFolder } from "../support/backup.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { processIds } from "../support/processes.ts";

/** Processes that work in this folder. */
function processesIn(folder: string): number[] {
  return processIds().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });
}

describe("a private Redis for the live one", () => {
  it("is ended when it does not tell what it has loaded", async () => {
    using folder = temporaryFolder();
    using bin = temporaryFolder();
    scriptIn(bin.path, "redis-cli", "test -S redis-*.sock && touch asked; echo LOADING >&2; exit 1");
    vi.stubEnv("PATH", `${bin.path}:${process.env["PATH"]}`);
    const { signal } = new AbortController();
    const attempt = startSidecar(undefined, { folder: folder.path, address: "127.0.0.1", signal });
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining("LOADING") });
    expect(existsSync(join(folder.path, "asked"))).toBe(true);
    expect(processesIn(folder.path)).toEqual([]);
  });

  it("answers after another one has ended that was there before, as that of a killed worker", async () => {
    using folder = temporaryFolder();
    const { signal } = new AbortController();
    const first = await startPrivateServer({ folder: folder.path, signal });
    await using second = await startPrivateServer({ folder: folder.path, signal });
    await first[Symbol.asyncDispose]();
    expect(await second.info()).toBeDefined();
  });

  it.each(["before", "while a port is looked for"])("is not started when it is called off %s", async (when) => {
    using folder = temporaryFolder();
    const stop = new AbortController();
    const abort = () => stop.abort(new Error("stop now"));
    if (when === "before") abort();
    const attempt = startSidecar(undefined, { folder: folder.path, address: "127.0.0.1", signal: stop.signal });
    abort();
    await expect(attempt).rejects.toThrow("stop now");
    expect(readdirSync(folder.path)).toEqual([]);
    expect(processesIn(folder.path)).toEqual([]);
  });
});
