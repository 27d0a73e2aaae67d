import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { BackupReader } from "../../src/sources/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import { Memory } from "../support/replace.ts";
import { backupOf, besideFor, replacerFor } from "../support/replace-kinds.ts";
import { fingerprint, shell } from "../support/trees.ts";

const { signal } = new AbortController();

/** A machine with an application on it, and what its source is. */
function application(script: string): { folder: string; at: (path: string) => string } {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  shell(folder.path, script);
  return { folder: folder.path, at: (path) => join(folder.path, path) };
}

const standard = `mkdir -p srv/uploads/2025 etc; echo one > srv/uploads/2025/a; echo two > srv/uploads/b
  ln -s 2025/a srv/uploads/link; chmod 750 srv/uploads/2025; chown 1234:2345 srv/uploads/b; echo secret > etc/.env; chmod 600 etc/.env
  setfattr -n user.note -v kept srv/uploads/b 2>/dev/null || true; echo left > srv/other`;

async function look(config: Parameters<typeof replacerFor>[0], reader: BackupReader, pick?: string) {
  return await replacerFor(config, pick === undefined ? {} : { pick }).look(reader.manifest, { reader, signal });
}

const leftBehind = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith(".vakhta-restore"));

describe("files in place", () => {
  it("replaces folders and single files together, and brings back what was live", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads"), at("etc/.env")] };
    const reader = await backupOf(config);
    const state = () => fingerprint(at("srv/uploads")) + shell(folder, "stat -c '%A %U %s' etc/.env; cat etc/.env");
    const backedUp = state();
    shell(
      folder,
      "echo altered > srv/uploads/b; rm srv/uploads/2025/a; echo new > srv/uploads/new; echo other > etc/.env",
    );
    const live = state();

    const seen = await look(config, reader);
    expect(seen).toMatchObject({ obstacles: [], unit: "files", wayBack: "kept", lostTotal: 2 });
    expect(seen.lost).toContainEqual({ what: at("srv/uploads"), live: 2, exact: true });
    expect(seen.lost).toContainEqual({ what: at("etc/.env"), live: 1, exact: true });

    const memory = new Memory();
    const report = await replacerFor(config).prepare(reader, memory.context(seen.identity));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { entries: 6 } });
    expect(readFileSync(at("srv/uploads/b"), "utf8")).toBe("altered\n");
    const swap = await replacerFor(config).swap(memory.context(seen.identity));
    expect(swap.refusedMs).toBeLessThan(1000);
    expect(memory.steps).toEqual(["make", "fill", "compare", "prepared", "swap", "swapped"]);
    expect(state()).toBe(backedUp);
    const [work = ""] = leftBehind(at("srv"));
    expect(lstatSync(join(at("srv"), work)).mode & 0o777).toBe(0o700);

    expect(await replacerFor(config).changes(signal)).toMatchObject({ written: 0, gone: 0, changedTotal: 0 });
    shell(
      folder,
      "echo later > srv/uploads/2025/later; echo x >> srv/uploads/b; rm srv/uploads/link; echo y > etc/.env",
    );
    expect(await replacerFor(config).changes(signal)).toEqual({
      changed: [
        { what: at("srv/uploads"), written: 1, gone: 2 },
        { what: at("etc/.env"), written: 1, gone: 1 },
        { what: at("srv/uploads/2025"), written: 1, gone: 0 },
      ],
      changedTotal: 3,
      unit: "files",
      written: 3,
      gone: 3,
    });
    const undone = await replacerFor(config).undo(memory.context(seen.identity));
    expect(undone.changes).toMatchObject({ written: 3, gone: 3 });
    expect(state()).toBe(live);
    await replacerFor(config).discard(memory.context(seen.identity));
    expect([...leftBehind(at("srv")), ...leftBehind(at("etc"))]).toEqual([]);
    expect(readFileSync(at("srv/other"), "utf8")).toBe("left\n");
  });

  it("brings back what was deleted by accident, and takes it away again", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads")] };
    const reader = await backupOf(config);
    shell(folder, "rm -r srv/uploads");
    const seen = await look(config, reader);
    expect(seen).toMatchObject({
      obstacles: [],
      lost: [],
      liveBytes: 0,
      noFormer: { args: { path: at("srv/uploads") } },
    });
    const memory = new Memory();
    await replacerFor(config).prepare(reader, memory.context(seen.identity));
    await replacerFor(config).swap(memory.context(seen.identity));
    expect(readFileSync(at("srv/uploads/b"), "utf8")).toBe("two\n");
    await replacerFor(config).undo(memory.context(seen.identity));
    expect(existsSync(at("srv/uploads"))).toBe(false);
    await replacerFor(config).discard(memory.context(seen.identity));
    expect(leftBehind(at("srv"))).toEqual([]);
  });

  it("replaces a single file or folder out of a tree, and leaves its neighbours alone", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv")] };
    const reader = await backupOf(config);
    shell(folder, "echo altered > srv/uploads/b; echo altered > srv/other; rm -r srv/uploads/2025");
    for (const pick of [at("srv/uploads/b"), at("srv/uploads/2025")]) {
      const seen = await look(config, reader, pick);
      expect(seen.obstacles).toEqual([]);
      const memory = new Memory();
      expect(await replacerFor(config, { pick }).prepare(reader, memory.context(seen.identity))).toMatchObject({
        differencesTotal: 0,
      });
      await replacerFor(config, { pick }).swap(memory.context(seen.identity));
      await replacerFor(config, { pick }).discard(memory.context(seen.identity));
    }
    expect(readFileSync(at("srv/uploads/b"), "utf8")).toBe("two\n");
    expect(readFileSync(at("srv/uploads/2025/a"), "utf8")).toBe("one\n");
    expect(readFileSync(at("srv/other"), "utf8")).toBe("altered\n");
    expect(leftBehind(at("srv/uploads"))).toEqual([]);

    const pick = at("srv/uploads/never");
    const memory = new Memory();
    const { identity } = await look(config, reader, pick);
    const attempt = replacerFor(config, { pick }).prepare(reader, memory.context(identity));
    await expect(attempt).rejects.toMatchObject({ code: "not-found", text: { key: "error-replace-files-absent" } });
    expect(leftBehind(at("srv/uploads"))).toEqual([]);
  });

  it("replaces what has its content under another name in the backup", async () => {
    const { folder, at } = application(
      'mkdir a b; echo one > "a/it\'s ä"; ln "a/it\'s ä" b/y; echo z > b/z; ln b/z b/z2',
    );
    const config = { kind: "files", paths: [at("a"), at("b")] };
    const reader = await backupOf(config);
    shell(folder, "rm b/*; echo other > a/new");
    const narrow = { ...config, paths: [at("b")] };
    const { identity } = await look(narrow, reader);
    const memory = new Memory();
    const report = await replacerFor(narrow).prepare(reader, memory.context(identity));
    expect(report.differencesTotal).toBe(0);
    await replacerFor(narrow).swap(memory.context(identity));
    expect([readFileSync(at("b/y"), "utf8"), readFileSync(at("b/z"), "utf8")]).toEqual(["one\n", "z\n"]);
    expect(lstatSync(at("b/z")).ino).toBe(lstatSync(at("b/z2")).ino);
    expect(readFileSync(at("a/new"), "utf8")).toBe("other\n");
    await replacerFor(narrow).discard(memory.context(identity));
    expect(leftBehind(folder)).toEqual([]);
  });

  it("replaces what a path that is a link leads to, and refuses when it leads elsewhere now", async () => {
    const { folder, at } = application(
      "mkdir -p releases/1 releases/2; echo 1 > releases/1/v; echo 2 > releases/2/v; ln -s releases/1 current",
    );
    const config = { kind: "files", paths: [at("current")] };
    const reader = await backupOf(config);
    shell(folder, "echo broken > releases/1/v");
    const seen = await look(config, reader);
    expect(seen).toMatchObject({ obstacles: [], database: at("releases/1") });
    const memory = new Memory();
    await replacerFor(config).prepare(reader, memory.context(seen.identity));
    await replacerFor(config).swap(memory.context(seen.identity));
    expect(readFileSync(at("current/v"), "utf8")).toBe("1\n");
    expect(lstatSync(at("current")).isSymbolicLink()).toBe(true);
    rmSync(at("current"));
    symlinkSync("releases/2", at("current"));
    expect((await look(config, reader)).obstacles).toMatchObject([{ key: "replace-files-link" }]);
    rmSync(at("current"));
    const other = await look(config, reader);
    await expect(
      replacerFor(config, { id: "r2" }).prepare(reader, new Memory().context(other.identity)),
    ).rejects.toMatchObject({
      text: { key: "error-replace-files-link" },
    });
  });

  it("says what stands in the way", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads")] };
    const reader = await backupOf(config);
    const keys = async (more: object, pick?: string) =>
      (await look({ ...config, ...more }, reader, pick)).obstacles.map(({ key }) => key);
    expect(await keys({ via: ["docker", "exec", "-i", "app"] })).toEqual(["replace-files-via"]);
    expect(await keys({ paths: [at("srv/other")] })).toEqual(["replace-files-nothing"]);
    expect(await keys({}, "/etc/passwd")).toEqual(["replace-files-pick"]);
    expect(await keys({}, at("srv/uploads/../other"))).toEqual(["replace-files-pick"]);
    expect(await keys({}, at("srv/uploads/gone/deep/er"))).toEqual(["replace-files-parent"]);
    shell(folder, "rm -r srv/uploads/2025; ln -s ../other-place srv/uploads/2025; mkdir srv/other-place");
    expect(await keys({}, at("srv/uploads/2025/a"))).toEqual(["replace-files-through"]);
    shell(folder, "rm -r srv");
    expect(await keys({})).toEqual(["replace-files-parent"]);
  });

  it("tells which programs go on with the former files, and what no backup has", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads")], exclude: ["*.tmp"] };
    const reader = await backupOf(config);
    shell(folder, "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"srv/uploads/s\")'");
    const open = openSync(at("srv/uploads/b"), "r");
    onTestFinished(() => closeSync(open));
    expect((await look(config, reader)).remarks.map(({ key }) => key)).toEqual([
      "replace-files-open",
      "replace-files-sockets",
      "replace-files-excluded",
    ]);
  });

  it("tells what the source left out when the backup was made, which is only in what is kept aside then", async () => {
    const { folder, at } = application(`${standard}; mkdir srv/uploads/cache; echo c > srv/uploads/cache/c`);
    const config = { kind: "files", paths: [at("srv/uploads")] };
    const reader = await backupOf({ ...config, exclude: ["cache"] });
    const seen = await look(config, reader);
    expect(seen.remarks).toEqual([{ key: "replace-files-excluded", args: { list: "cache" } }]);
    const memory = new Memory();
    await replacerFor(config).prepare(reader, memory.context(seen.identity));
    await replacerFor(config).swap(memory.context(seen.identity));
    expect(existsSync(at("srv/uploads/cache"))).toBe(false);
    await replacerFor(config).undo(memory.context(seen.identity));
    expect(readFileSync(at("srv/uploads/cache/c"), "utf8")).toBe("c\n");
    await replacerFor(config).discard(memory.context(seen.identity));
    expect(leftBehind(join(folder, "srv"))).toEqual([]);
  });

  it("refuses what is not what was approved, what was replaced already, and a second one at the same time", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads")] };
    const reader = await backupOf(config);
    const { identity } = await look(config, reader);
    const memory = new Memory();
    memory.onRecord = async (step) => {
      if (step !== "fill") return;
      const second = replacerFor(config, { id: "r2" }).prepare(reader, new Memory().context(identity));
      await expect(second).rejects.toMatchObject({ code: "busy" });
    };
    await replacerFor(config).prepare(reader, memory.context(identity));
    renameSync(at("srv/uploads"), at("srv/moved"));
    mkdirSync(at("srv/uploads"));
    const change = { code: "conflict", text: { key: "error-replace-files-changed" } };
    await expect(replacerFor(config).swap(memory.context(identity))).rejects.toMatchObject(change);
    expect(readdirSync(at("srv/uploads"))).toEqual([]);
    shell(folder, "rmdir srv/uploads; mv srv/moved srv/uploads");
    await replacerFor(config).swap(memory.context(identity));
    await expect(replacerFor(config).prepare(reader, memory.context(identity))).rejects.toMatchObject({
      text: { key: "error-replace-files-over" },
    });
    await replacerFor(config).discard(memory.context(identity));
    await expect(replacerFor(config).changes(signal)).rejects.toMatchObject({
      text: { key: "error-replace-files-no-before" },
    });
  });

  it("leaves alone a folder that only has the name of its own", async () => {
    const { at } = application(standard);
    const config = { kind: "files", paths: [at("srv/uploads")] };
    const reader = await backupOf(config);
    mkdirSync(at("srv/.vakhta-restore-r1"));
    writeFileSync(at("srv/.vakhta-restore-r1/mine"), "");
    const { identity } = await look(config, reader);
    const attempt = replacerFor(config).prepare(reader, new Memory().context(identity));
    await expect(attempt).rejects.toMatchObject({ text: { key: "error-replace-files-taken" } });
    expect(await replacerFor(config).recover(new Memory().context(identity))).toBe("nothing");
    await replacerFor(config).discard(new Memory().context(identity));
    expect(readdirSync(at("srv/.vakhta-restore-r1"))).toEqual(["mine"]);
  });
});

describe("files beside", () => {
  it("makes a folder that was not there, of everything or of one path", async () => {
    const { folder, at } = application(standard);
    const config = { kind: "files", paths: [at("srv")] };
    const reader = await backupOf(config);
    const { identity, obstacles } = await besideFor(config, { to: at("new") }).look(reader.manifest, {
      reader,
      signal,
    });
    expect({ identity, obstacles }).toEqual({ identity: { database: at("new") }, obstacles: [] });
    const report = await besideFor(config, { to: at("new") }).make(reader, new Memory().context(identity));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { entries: 7 } });
    expect(fingerprint(join(at("new"), folder, "srv"))).toBe(fingerprint(at("srv")));
    const pick = at("srv/uploads/b");
    await besideFor(config, { to: at("one"), pick }).make(reader, new Memory().context({ database: at("one") }));
    expect(readFileSync(join(at("one"), pick), "utf8")).toBe("two\n");
    expect(existsSync(join(at("one"), at("srv/other")))).toBe(false);
    expect(leftBehind(folder)).toEqual([]);
    const again = besideFor(config, { to: at("one") });
    expect((await again.look(reader.manifest, { signal })).obstacles).toMatchObject([{ key: "replace-files-there" }]);
    await expect(again.make(reader, new Memory().context({ database: at("one") }))).rejects.toMatchObject({
      code: "conflict",
    });
  });
});
