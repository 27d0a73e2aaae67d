import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runFolder } from "../../src/core/manifest.ts";
import { encodePin, pinFile } from "../../src/core/proof.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { findPrevious } from "../../src/services/backup/previous.ts";
import { filesBelow, orderOf, quiet, sourceOf, storageOf } from "../support/backup.ts";
import { TestBucket } from "../support/bucket.ts";
import type { CliResult } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { startS3 } from "../support/s3.ts";
import { flipBit } from "../support/verify.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-copy-"));
  for (const storage of ["old", "new"]) mkdirSync(join(folder, storage));
});
afterEach(() => rmSync(folder, { recursive: true }));

const numbers = { kind: "command", argv: ["seq", "1", "9"], file: "numbers.txt" };

/** A backup of a day of March 2026; its folder. */
async function backUp(name: string, day: number, config: object = numbers): Promise<string> {
  const storages = [storageOf("old", { kind: "local", path: join(folder, "old") })];
  const startedAt = new Date(Date.UTC(2026, 2, day, 3));
  const runId = `run${day}`;
  const place = runFolder(name, startedAt, runId);
  const { kind } = config as { kind: string };
  const signal = new AbortController().signal;
  const known = { recipients: [], identities: [], now: new Date(), logger: quiet };
  const previous = await findPrevious({ name, kind, storages, signal, ...known });
  const run = { name, runId, startedAt, folder: place, previous, clock: { now: () => startedAt } };
  await runBackup(orderOf({ source: sourceOf(config), storages, ...run }));
  return place;
}

const copy = async (...args: readonly string[]): Promise<CliResult> =>
  await runHere(["copy", ...args, "--from", `file://${folder}/old`, "--to", `file://${folder}/new`]);
const inNew = (): string[] => globSync("new/*/*/manifest.json", { cwd: folder }).map((file) => dirname(file).slice(4));

describe("vakhta copy", () => {
  it("fills a storage with all there is, byte by byte, and does nothing the second time", async () => {
    const places = [await backUp("app", 1), await backUp("app", 2), await backUp("crm", 3)];
    writeFileSync(
      join(folder, "old", places[0] ?? "", pinFile),
      encodePin({ version: 1, at: "2026-03-01T03:00:00.000Z", by: "alice" }),
    );
    const first = await copy();
    expect(first).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/: 3 copied, 0 there already, 0 not copied, in /),
    });
    expect(filesBelow(join(folder, "new"))).toEqual(filesBelow(join(folder, "old")));
    for (const file of filesBelow(join(folder, "old")))
      expect(readFileSync(join(folder, "new", file))).toEqual(readFileSync(join(folder, "old", file)));
    expect((await copy()).stdout).toMatch(/: 0 copied, 3 there already, 0 not copied, in /);
  });

  it("copies those of a name, one by its id, the newest one, or those of a time", async () => {
    await backUp("app", 1);
    await backUp("app", 2);
    await backUp("crm", 3);
    await copy("app@20260301");
    expect(inNew()).toEqual(["app/20260301T030000Z-run1"]);
    await copy("latest:app");
    expect(inNew().toSorted()).toEqual(["app/20260301T030000Z-run1", "app/20260302T030000Z-run2"]);
    await copy("run3");
    expect(inNew()).toHaveLength(3);
    const none = await copy("else");
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining("holds no backup that is meant by else") });
  });

  it("copies with a backup what it needs of earlier ones", async () => {
    await using s3 = await startS3();
    using bucket = await TestBucket.create(s3, "photos");
    await bucket.putAll({ a: "1", b: "2" });
    await backUp("photos", 1, bucket.config());
    await bucket.put("c", "3");
    await backUp("photos", 2, bucket.config());
    await backUp("other", 1);
    expect(await copy("run2")).toMatchObject({ status: 0 });
    expect(inNew().toSorted()).toEqual(["photos/20260301T030000Z-run1", "photos/20260302T030000Z-run2"]);
  });

  it("replaces nothing that differs, copies no damaged one, and goes on with the others", async () => {
    const [altered, damaged, good] = [await backUp("app", 1), await backUp("app", 2), await backUp("app", 3)];
    await copy("run1");
    const manifest = join(folder, "new", altered, "manifest.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"host": "[^"]*"/, '"host": "elsewhere"'));
    const before = readFileSync(manifest, "utf8");
    flipBit(join(folder, "old", damaged, "numbers.txt.zst"));
    const { status, stdout, stderr } = await copy();
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringMatching(/1 copied, 0 there already, 2 not copied/),
    });
    expect(stderr).toMatch(/holds another app\/20260301T030000Z-run1\/: one of the two was altered/);
    expect(stderr).toMatch(/not copied: app\/20260302T030000Z-run2: /);
    expect(readFileSync(manifest, "utf8")).toBe(before);
    expect(existsSync(join(folder, "new", good, "manifest.json"))).toBe(true);
    expect(existsSync(join(folder, "new", damaged, "manifest.json"))).toBe(false);
  });

  it("tells of a manifest that makes no sense, and copies the others", async () => {
    const broken = await backUp("app", 1);
    await backUp("app", 2);
    writeFileSync(join(folder, "old", broken, "manifest.json"), "{");
    const { status, stderr } = await copy();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining("not copied: app/20260301T030000Z-run1: "),
    });
    expect(inNew()).toEqual(["app/20260302T030000Z-run2"]);
  });

  it("says wrong usage, and tells what cannot be read", async () => {
    expect(await runHere(["copy", "--from", "file:///x"])).toMatchObject({ status: 2 });
    const same = await runHere(["copy", "--from", `file://${folder}/new`, "--to", `file://${folder}/new`]);
    expect(same).toMatchObject({ status: 2, stderr: expect.stringContaining("from itself") });
    const gone = await runHere(["copy", "--from", `file://${folder}/gone`, "--to", `file://${folder}/new`]);
    expect(gone).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no folder") });
    const told = await copy("--json");
    expect(JSON.parse(told.stdout)).toMatchObject({ error: { code: "no-copy" } });
  });

  it("does nothing while somebody removes backups there, and keeps such away meanwhile", async () => {
    await backUp("app", 1);
    const held = {
      version: 1,
      work: "prune",
      host: "elsewhere",
      process: "-",
      until: new Date(Date.now() + 60_000).toISOString(),
    };
    writeFileSync(join(folder, "old/app/lease-0123456789abcdef.json"), JSON.stringify(held));
    expect(await copy()).toMatchObject({ status: 1, stderr: expect.stringContaining("prune on elsewhere") });
    writeFileSync(join(folder, "old/app/lease-0123456789abcdef.json"), JSON.stringify({ ...held, work: "backup" }));
    expect(await copy()).toMatchObject({ status: 0 });
    expect(globSync("new/app/lease-*", { cwd: folder })).toEqual([]);
  });
});
