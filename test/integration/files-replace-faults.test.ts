import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Recovered } from "../../src/core/replacement.ts";
import { temporaryFolder } from "../support/backup.ts";
import { readerOf } from "../support/parts.ts";
import { Memory } from "../support/replace.ts";
import {
  backupOf,
  besideFor,
  journalIn,
  type KindOrder,
  replacerFor,
  runUntilKilled,
  writeBackup,
} from "../support/replace-kinds.ts";
import { type TarMember, tarOf } from "../support/tar-archive.ts";
import { fingerprint, shell } from "../support/trees.ts";

const { signal } = new AbortController();
const isRoot = process.geteuid?.() === 0;

function folderWith(script: string): { folder: string; at: (path: string) => string } {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  shell(folder.path, script);
  return { folder: folder.path, at: (path) => join(folder.path, path) };
}

/** Two paths with a backup of them that another process can read, and something else live. */
async function replaced() {
  const { folder, at } = folderWith("mkdir -p a/x b backup; echo 1 > a/x/file; echo 1 > b/.env");
  const config = { kind: "files", paths: [at("a/x"), at("b/.env")] };
  const reader = await backupOf(config);
  await writeBackup(reader, at("backup"));
  const state = () => fingerprint(at("a/x")) + readFileSync(at("b/.env"), "utf8");
  const before = state();
  shell(folder, "echo 2 > a/x/file; echo 2 > a/x/more; echo 2 > b/.env");
  const live = state();
  const { identity } = await replacerFor(config).look(reader.manifest, { signal });
  const leftovers = () =>
    ["a", "b"].flatMap((name) => readdirSync(at(name))).filter((name) => name.startsWith(".vakhta"));
  const memory = (): Memory => {
    const found = new Memory();
    found.journal = journalIn(at("backup"));
    return found;
  };
  const order = (operation: KindOrder["operation"], dieAt: string): KindOrder => {
    return { config, operation, dieAt, backup: at("backup"), identity };
  };
  return { folder, at, config, reader, state, before, live, identity, leftovers, memory, order };
}

describe("a replacement of files that is killed", () => {
  it.each<[string, Recovered]>([
    ["make", "nothing"],
    ["fill", "rolled-back"],
    ["bytes", "rolled-back"],
    ["compare", "rolled-back"],
    ["prepared", "rolled-back"],
  ])("while it is prepared, at %s: what is live is as it was, and it can be done anew", async (dieAt, recovered) => {
    const { config, reader, state, live, before, identity, leftovers, memory, order } = await replaced();
    runUntilKilled(order("prepare", dieAt));
    expect(state()).toBe(live);
    expect(await replacerFor(config).recover(memory().context(identity))).toBe(recovered);
    expect(leftovers()).toEqual([]);
    expect(await replacerFor(config).prepare(reader, memory().context(identity))).toMatchObject({
      differencesTotal: 0,
    });
    await replacerFor(config).swap(memory().context(identity));
    expect(state()).toBe(before);
  });

  it("is prepared anew without a recovery", async () => {
    const { config, reader, state, before, identity, memory, order } = await replaced();
    runUntilKilled(order("prepare", "bytes"));
    await replacerFor(config).prepare(reader, memory().context(identity));
    expect(await replacerFor(config).recover(memory().context(identity))).toBe("prepared");
    // What is prepared is compared again.
    expect(await replacerFor(config).prepare(reader, memory().context(identity))).toMatchObject({
      differencesTotal: 0,
    });
    await replacerFor(config).swap(memory().context(identity));
    expect(state()).toBe(before);
  });

  it("right before its swap: it is still prepared", async () => {
    const { config, reader, state, live, before, identity, memory, order } = await replaced();
    await replacerFor(config).prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swap"));
    expect(state()).toBe(live);
    expect(await replacerFor(config).recover(memory().context(identity))).toBe("prepared");
    await replacerFor(config).swap(memory().context(identity));
    expect(state()).toBe(before);
  });

  /** The states that a kill between two renamings leaves, made by hand. */
  it.each(["mv a/x @/before/0", "mv a/x @/before/0; mv @/tree/$PWD/a/x a/x"])(
    "between two renamings (%s): the swap is finished",
    async (moves) => {
      const { folder, at, config, reader, state, before, live, identity, leftovers, memory } = await replaced();
      await replacerFor(config).prepare(reader, memory().context(identity));
      const work = join(at("a"), ".vakhta-restore-r1");
      shell(folder, `sed -i 's/"prepared"/"swapping"/' ${work}/mark.json; ${moves.replaceAll("@", work)}`);
      expect(await replacerFor(config).recover(memory().context(identity))).toBe("swapped");
      expect(state()).toBe(before);
      await replacerFor(config).undo(memory().context(identity));
      expect(state()).toBe(live);
      await replacerFor(config).discard(memory().context(identity));
      expect(leftovers()).toEqual([]);
    },
  );

  it("after its swap, and in the middle of an undo", async () => {
    const { folder, at, config, reader, state, before, live, identity, leftovers, memory, order } = await replaced();
    await replacerFor(config).prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swapped"));
    expect(await replacerFor(config).recover(memory().context(identity))).toBe("swapped");
    expect(state()).toBe(before);
    runUntilKilled(order("undo", "undo"));
    expect(await replacerFor(config).recover(memory().context(identity))).toBe("swapped");
    const work = join(at("a"), ".vakhta-restore-r1");
    shell(
      folder,
      `sed -i 's/"swapped"/"undoing"/' ${work}/mark.json; mv a/x ${work}/undone/0; mv ${work}/before/0 a/x`,
    );
    expect(await replacerFor(config).recover(memory().context(identity))).toBe("undone");
    expect(state()).toBe(live);
    runUntilKilled(order("discard", "discard"));
    await replacerFor(config).discard(memory().context(identity));
    expect(state()).toBe(live);
    expect(leftovers()).toEqual([]);
  });

  it("beside: nothing is where it is to be until all is there", async () => {
    const { folder, at, config, reader, memory, order } = await replaced();
    const identity = { database: at("new") };
    for (const dieAt of ["make", "fill", "bytes", "compare", "prepared"]) {
      runUntilKilled({ ...order("make", dieAt), to: at("new") });
      expect(existsSync(at("new"))).toBe(false);
      await besideFor(config, { to: at("new") }).discard(memory().context(identity));
      expect(readdirSync(folder).filter((name) => name.startsWith(".vakhta"))).toEqual([]);
    }
    runUntilKilled({ ...order("make", "bytes"), to: at("new") });
    await besideFor(config, { to: at("new") }).make(reader, memory().context(identity));
    expect(readFileSync(join(at("new"), at("b/.env")), "utf8")).toBe("1\n");
  });
});

describe("a replacement of files that fails", () => {
  it("puts everything back when one of several can not be renamed", async () => {
    const { at, config, reader, state, live, identity, memory, leftovers } = await replaced();
    const target = memory();
    await replacerFor(config).prepare(reader, target.context(identity));
    target.onRecord = (step) => {
      // What was made for the second one is gone in the very moment.
      if (step === "swap") rmSync(join(at("b"), ".vakhta-restore-r1/before"), { recursive: true, force: true });
      if (step === "swap") rmSync(join(at("a"), ".vakhta-restore-r1/before"), { recursive: true, force: true });
    };
    await expect(replacerFor(config).swap(target.context(identity))).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-replace-files-rename" },
    });
    expect(state()).toBe(live);
    await replacerFor(config).discard(target.context(identity));
    expect(leftovers()).toEqual([]);
  });

  it("says what differs, and does not swap it", async () => {
    const { config, reader, state, live, identity } = await replaced();
    const parts = reader.manifest.parts.map((part) => ({ ...part, entries: (part.entries ?? 0) + 1 }));
    const other = { ...reader, manifest: { ...reader.manifest, parts } };
    const memory = new Memory();
    expect(await replacerFor(config).prepare(other, memory.context(identity))).toMatchObject({
      differences: [{ what: "entries", expected: "4", found: "3" }],
    });
    await expect(replacerFor(config).swap(memory.context(identity))).rejects.toMatchObject({
      text: { key: "error-replace-files-not-prepared" },
    });
    expect(state()).toBe(live);
  });

  it.runIf(process.geteuid?.() === 0)("is no way back any more before anything of it is removed", async () => {
    const { at, config, reader, state, live, identity, memory, leftovers } = await replaced();
    const target = memory();
    await replacerFor(config).prepare(reader, target.context(identity));
    await replacerFor(config).swap(target.context(identity));
    const mark = join(at("a"), ".vakhta-restore-r1/mark.json");
    shell(at(""), `mount --bind '${mark}' '${mark}'`);
    try {
      await expect(replacerFor(config).discard(target.context(identity))).rejects.toThrow("EBUSY");
    } finally {
      shell(at(""), `umount '${mark}'`);
    }
    await replacerFor(config).undo(target.context(identity));
    expect(state()).toBe(live);
    await replacerFor(config).discard(target.context(identity));
    expect(leftovers()).toEqual([]);
  });

  it("ends when it is told to, and leaves nothing", async () => {
    const { config, reader, state, live, identity, leftovers } = await replaced();
    const stop = new AbortController();
    const memory = new Memory();
    memory.onRecord = (step) => {
      if (step === "fill") stop.abort(new Error("cancelled"));
    };
    const context = memory.context(identity, { signal: stop.signal });
    await expect(replacerFor(config).prepare(reader, context)).rejects.toThrow("cancelled");
    expect(state()).toBe(live);
    expect(leftovers()).toEqual([]);
  });

  it.runIf(isRoot)(
    "says that the disk is full, and that a mounted or read-only file system can not be replaced",
    async () => {
      const { folder, at } = folderWith(
        "mkdir disk; mount -t tmpfs -o size=2m none disk; mkdir disk/data; head -c 1500000 /dev/urandom > disk/data/file",
      );
      onTestFinished(() => void shell(folder, "umount disk"));
      const config = { kind: "files", paths: [at("disk/data")] };
      const reader = await backupOf(config);
      const seen = await replacerFor(config).look(reader.manifest, { signal });
      expect(seen.obstacles).toMatchObject([{ key: "replace-files-room", args: { needed: 2, free: 1 } }]);
      const attempt = replacerFor(config).prepare(reader, new Memory().context(seen.identity));
      await expect(attempt).rejects.toMatchObject({ code: "storage-full" });
      expect(readdirSync(at("disk"))).toEqual(["data"]);
      const whole = { kind: "files", paths: [at("disk")] };
      const ofWhole = await backupOf(whole);
      const keys = async (source: typeof whole, pick?: string) =>
        (
          await replacerFor(source, pick === undefined ? {} : { pick }).look(ofWhole.manifest, { signal })
        ).obstacles.map(({ key }) => key);
      expect(await keys(whole)).toContain("replace-files-mount");
      shell(folder, "rm disk/data/file; touch disk/data/file");
      expect(await keys(whole, at("disk/data"))).toEqual([]);
      const outer = { kind: "files", paths: [folder] };
      const ofOuter = await backupOf(outer);
      const found = await replacerFor(outer).look(ofOuter.manifest, { signal });
      expect(found.obstacles.map(({ key }) => key)).toContain("replace-files-mounts");
      shell(folder, "mount -o remount,ro disk");
      expect(await keys(whole, at("disk/data"))).toEqual(["replace-files-read-only"]);
    },
  );
});

describe("an archive that somebody has made who can write to the storage", () => {
  const evil = (members: readonly TarMember[], paths: string) => {
    const bytes = spawnSync("zstd", ["-c"], { input: tarOf(members) }).stdout;
    return readerOf("files", [{ role: "artifact", file: "artifact.tar.zst", bytes, facts: {} }], { paths });
  };

  it.each<[string, (at: (path: string) => string) => TarMember[]]>([
    [
      "names with ..",
      (at) => [
        { name: `.${at("app")}`, folder: true },
        { name: `.${at("app")}/../../../../../../..${at("out")}`, content: "evil" },
      ],
    ],
    [
      "absolute names",
      (at) => [
        { name: `.${at("app")}`, folder: true },
        { name: at("out"), content: "evil" },
      ],
    ],
    [
      "other paths",
      (at) => [
        { name: `.${at("app")}`, folder: true },
        { name: `.${at("out")}`, content: "evil" },
      ],
    ],
    [
      "a link and a file behind it",
      (at) => [
        { name: `.${at("app")}`, folder: true },
        { name: `.${at("app")}/l`, link: { kind: "symbolic", to: at("") } },
        { name: `.${at("app")}/l/out`, content: "evil" },
      ],
    ],
    ["a link in the place of the path", (at) => [{ name: `.${at("app")}`, link: { kind: "symbolic", to: "/etc" } }]],
    [
      "a link in the place of its parent",
      (at) => [
        { name: `.${at("")}`.replace(/\/$/, ""), link: { kind: "symbolic", to: at("elsewhere") } },
        { name: `.${at("app")}`, folder: true },
      ],
    ],
  ])("writes nowhere else: %s", async (_, members) => {
    const { folder, at } = folderWith("mkdir app elsewhere; echo live > app/file; echo kept > out-witness");
    const paths = [at("app"), at("out"), "/etc"].join(", ");
    const reader = evil(members(at), paths);
    const config = { kind: "files", paths: [at("app")] };
    const { identity } = await replacerFor(config).look(reader.manifest, { signal });
    const memory = new Memory();
    // Some are refused, of others what belongs to the path is taken: in no case anything is written elsewhere.
    const attempt = replacerFor(config).prepare(reader, memory.context(identity));
    await attempt.then(() => replacerFor(config).swap(memory.context(identity))).catch(() => undefined);
    expect(existsSync(at("out"))).toBe(false);
    expect(readdirSync(at("elsewhere"))).toEqual([]);
    expect(shell(folder, "stat -c %F app")).toBe("directory\n");
    expect(existsSync(join("/", "out"))).toBe(false);
  });
});
