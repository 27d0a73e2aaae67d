import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DatedHead } from "../../src/core/audit.ts";
import { writeHead } from "../../src/services/audit/head-files.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aBackup, retentionWorld, signal } from "../support/catalogue.ts";
import { runHere } from "../support/cli-here.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const other = "b".repeat(64);

/** A log of two entries, a head of it and two of another log in a storage, and the command line beside it. */
async function world() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = join(folder.path, "store");
  const { deps, storage } = retentionWorld(fixture, {
    storages: { local: { kind: "local", path } },
    backups: [aBackup()],
  });
  const { url, prefix } = { url: fixture.server.url, prefix: deps.config.redis.prefix };
  const file = join(folder.path, "vakhta.yaml");
  writeFileSync(
    file,
    `redis: { url: "${url}", prefix: "${prefix}" }
storages: { local: { kind: local, path: "${path}" } }
backups: [{ name: app, source: { kind: files, paths: ["${folder.path}/srv"] } }]
`,
  );
  const at = "2026-03-01T12:00:00.000Z";
  for (const why of ["one", "two"]) await deps.audit.append({ at, about: "approval", what: "done", why });
  const head = await deps.audit.head();
  if (!head) throw new Error("no head");
  const local = await storage("local");
  const dated = (date: string, change: Partial<DatedHead> = {}): DatedHead => ({ ...head, date, at, ...change });
  const put = async (date: string, change: Partial<DatedHead> = {}): Promise<void> =>
    await writeHead(local, dated(date, change), signal);
  const run = async (...args: readonly string[]) => await runHere(["audit", ...args, "--config", file]);
  return { deps, local, put, run, files: () => globSync("audit/**/*.json", { cwd: path }).toSorted() };
}

describe("vakhta audit put-aside", () => {
  test("moves the heads of other logs, leaves those of the present one, and puts that on record", async () => {
    const { deps, put, run, files } = await world();
    await put("2026-02-27", { chain: other, seq: 70 });
    await put("2026-02-28", { chain: other, seq: 80 });
    await put("2026-03-01");
    expect(await run("verify")).toMatchObject({ status: 1, stdout: expect.stringContaining("begun anew"), stderr: "" });
    const done = await run("put-aside", "--yes");
    expect(done).toMatchObject({ status: 0, stdout: "local: heads put aside: 2.\n" });
    expect(done.stderr).toBe("local holds heads of another log: 2, 2026-02-27 to 2026-02-28\n");
    expect(files().map((name) => name.replace(/before-[\d-]+/, "before"))).toEqual([
      "audit/heads-before/2026-02-27.json",
      "audit/heads-before/2026-02-28.json",
      "audit/heads/2026-03-01.json",
    ]);
    expect(await deps.audit.newest(1)).toMatchObject([
      { about: "cli", what: "heads-put-aside", details: { storages: "local" } },
    ]);
    expect(await run("verify")).toMatchObject({ status: 0, stdout: expect.stringContaining("is whole: 3 entries") });
    expect(await run("put-aside", "--yes")).toMatchObject({
      status: 0,
      stdout: "No storage holds heads of another log.\n",
    });
  });

  test("does nothing where nobody types the word, and takes nothing away of a log that was rewritten", async () => {
    const { local, put, run, files } = await world();
    // The same beginning, another entry: no log that was begun anew.
    await put("2026-02-28", { hash: other });
    await local.put("audit/heads/2026-02-26.json", Buffer.from("{"), signal);
    expect((await run("put-aside", "--yes")).stdout).toBe("No storage holds heads of another log.\n");
    await put("2026-02-27", { chain: other });
    expect(await run("put-aside")).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    expect(files()).toHaveLength(3);
    expect(await run("verify")).toMatchObject({ status: 1 });
  });
});
