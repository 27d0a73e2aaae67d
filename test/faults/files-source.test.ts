import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { mostNotes } from "../../src/core/manifest.ts";
import { kindOf } from "../../src/sources/index.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { readerOf } from "../support/parts.ts";
import { type TarMember, tarOf } from "../support/tar-archive.ts";
import { backUp, into, scratchIn, shell } from "../support/trees.ts";

const kind = kindOf("files");

/** `via` for a source whose tar is run by a script, in which it is `"$@"`. */
function tarThat(folder: string, script: string): string[] {
  return [scriptIn(folder, "via", `case "$*" in *--create*--verbose*) ${script} ;; *) exec "$@" ;; esac`)];
}

/**
 * A tar in whose first file, when that has a megabyte, `change` runs: no more of its output is taken until then than fits
 * into a pipe.
 */
function tarDuring(folder: string, change: string): string[] {
  const held = `"$@" | { head -c 100000; ${change}; cat; }; exit "\${PIPESTATUS[0]}"`;
  return tarThat(folder, `exec bash -c '${held}' bash "$@"`);
}

/** Runs tar under the uid of nobody, who may read less. */
const unprivileged = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';

describe("a tree that is not left alone", () => {
  it.each([
    ["grows", "echo more >> $0/a"],
    ["shrinks", "truncate -s 300000 $0/a"],
    ["is written over", "echo x | dd of=$0/a conv=notrunc status=none"],
  ])("names a file that %s while it is read, and the backup is good", async (_how, change) => {
    using folder = temporaryFolder();
    shell(folder.path, "echo same > quiet; head -c 1M /dev/urandom > a");
    const paths = ["a", "quiet"].map((name) => join(folder.path, name));
    const via = tarDuring(folder.path, change.replaceAll("$0", folder.path));
    const { reader, session } = await backUp({ paths, via });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    const notes = [{ kind: "changed", name: paths[0] }];
    expect(session.summary?.()).toEqual({ references: [], notes, notesTotal: 1 });
    using to = temporaryFolder();
    expect(await kind.restore?.(reader, into(to.path))).toMatchObject({ compared: { entries: 2 }, differences: [] });
  });

  it.each([
    [": file changed as we read it", "changed"],
    [": File shrank by 17 bytes; padding with zeros", "changed"],
    [": File removed before we read it", "vanished"],
  ])("knows tar's words %j", async (words, what) => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree; touch tree/a");
    const script = `"$@"; printf '%s\\n' 'tar: ./srv/x\\: y/\\320\\272\\n\\377${words}' >&2; exit 1`;
    const { session, reader } = await backUp({
      paths: [join(folder.path, "tree")],
      via: tarThat(folder.path, script),
    });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    expect(session.summary?.().notes).toEqual([{ kind: what, name: "/srv/x: y/\\320\\272\\012\\377" }]);
  });

  it("names what vanishes between the listing of its folder and its turn", async () => {
    using folder = temporaryFolder();
    const tree = join(folder.path, "tree");
    shell(folder.path, "mkdir tree; for f in a b; do head -c 1M /dev/urandom > tree/$f; done");
    // One of them is being read then, and the other one has been listed.
    const { reader, session } = await backUp({ paths: [tree], via: tarDuring(folder.path, `rm ${tree}/a ${tree}/b`) });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    const vanished = session.summary?.().notes.filter((note) => note.kind === "vanished");
    expect(vanished).toHaveLength(1);
    expect([`${tree}/a`, `${tree}/b`]).toContain(vanished?.[0]?.name);
  });

  it("is a failed backup when tar complains of anything else, whatever its status", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree; touch tree/a");
    const paths = [join(folder.path, "tree")];
    const changed = "echo 'tar: ./a: file changed as we read it' >&2";
    for (const script of [
      `"$@"; ${changed}; echo 'tar: ./b: Read error at byte 0, while reading 10 bytes: Input/output error' >&2; exit 1`,
      `"$@"; ${changed}; echo 'tar: ./b: Cannot stat: Input/output error' >&2; exit 2`,
      `"$@"; ${changed}; exit 2`,
      `"$@"; exit 1`,
      `"$@"; ${changed}; exit 64`,
    ]) {
      const via = tarThat(folder.path, script);
      await expect(backUp({ paths, via, unreadable: "note" })).rejects.toMatchObject({ code: "tool-failed" });
    }
  });

  it("names no more than it should, and counts all", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree; touch tree/a");
    const script = `"$@"; i=0; while [ $i -lt 5000 ]; do echo "tar: ./$i: file changed as we read it" >&2; i=$((i+1)); done; exit 1`;
    const { session } = await backUp({ paths: [join(folder.path, "tree")], via: tarThat(folder.path, script) });
    const summary = session.summary?.();
    expect(summary?.notesTotal).toBe(5000);
    expect(summary?.notes).toHaveLength(mostNotes);
  });

  it("skips a socket and says so, and is not held up by a fifo", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree; mkfifo tree/fifo");
    const server = createServer().listen(join(folder.path, "tree/sock"));
    await once(server, "listening");
    const { reader, session } = await backUp({ paths: [join(folder.path, "tree")] });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    expect(session.summary?.().notes).toEqual([{ kind: "skipped", name: `${folder.path}/tree/sock` }]);
    server.close();
  });
});

it("says that a link which is followed leads round and round, of which tar dies", async () => {
  using folder = temporaryFolder();
  shell(folder.path, "mkdir tree; ln -s .. tree/up");
  const paths = [join(folder.path, "tree")];
  // The real one dies as well, after minutes on a busy machine.
  const via = tarThat(folder.path, "kill -SEGV $$");
  await expect(backUp({ paths, via, followSymlinks: true })).rejects.toMatchObject({
    text: { key: "error-files-endless" },
  });
  await expect(backUp({ paths, via })).rejects.toMatchObject({ code: "tool-failed" });
});

describe("what may not be read", () => {
  const unreadableTree = (folder: string): string => {
    chmodSync(folder, 0o755);
    shell(
      folder,
      "mkdir -p tree/closed tree/open; echo 1 > tree/closed/in; echo 2 > tree/open/secret; echo 3 > tree/open/plain; chmod 700 tree/closed; chmod 600 tree/open/secret",
    );
    return join(folder, "tree");
  };

  it("makes a failed backup", async () => {
    using folder = temporaryFolder();
    const via = tarThat(folder.path, unprivileged);
    await expect(backUp({ paths: [unreadableTree(folder.path)], via })).rejects.toMatchObject({
      code: "source-refused",
      text: { key: "error-files-unreadable", args: { total: 2 } },
      context: { step: "tar", exit: "exit status 2" },
    });
  });

  it("is a note where that is wanted", async () => {
    using folder = temporaryFolder();
    const tree = unreadableTree(folder.path);
    const { reader, session } = await backUp({
      paths: [tree],
      via: tarThat(folder.path, unprivileged),
      unreadable: "note",
    });
    expect(reader.manifest.parts[0]?.entries).toBe(3);
    expect(session.summary?.().notes.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { kind: "unreadable", name: `${tree}/closed` },
      { kind: "unreadable", name: `${tree}/open/secret` },
    ]);
  });

  it("is told before anything is read when it is one of the paths", async () => {
    using folder = temporaryFolder();
    const via = [scriptIn(folder.path, "via", unprivileged)];
    const paths = [join(unreadableTree(folder.path), "closed")];
    await expect(backUp({ paths, via })).rejects.toMatchObject({ text: { key: "error-files-no-access" } });
  });
});

/** A backup whose archive somebody has made who means harm. */
function forged(...members: readonly TarMember[]): BackupReader {
  const bytes = zstdCompressSync(tarOf(members));
  return readerOf("files", [{ role: "artifact", file: "artifact.tar.zst", bytes, facts: {} }]);
}

describe("a hostile archive", () => {
  it("writes nothing above the folder, by no name", async () => {
    using folder = temporaryFolder();
    const to = join(folder.path, "to");
    const victim = join(folder.path, "victim");
    for (const name of ["../victim", "a/../../victim", "./../victim"]) {
      const reader = forged({ name: "first", content: "x" }, { name, content: "x" });
      await expect(kind.restore?.(reader, into(to))).rejects.toMatchObject({
        code: "tool-failed",
        context: { stderr: expect.stringContaining("Member name contains '..'") },
      });
      expect(readdirSync(folder.path)).toEqual([]);
    }
    await kind.restore?.(forged({ name: victim, content: "x" }), into(to));
    expect(existsSync(victim)).toBe(false);
    expect(existsSync(join(to, victim))).toBe(true);
  });

  it.each(["symbolic", "hard"] as const)("writes nothing through a %s link that it has made", async (how) => {
    using folder = temporaryFolder();
    const outside = join(folder.path, "outside");
    mkdirSync(outside);
    appendFileSync(join(outside, "file"), "untouched");
    const link = (to: string): TarMember => ({ name: "door", link: { kind: how, to } });
    const attempts: TarMember[][] = [
      [link(outside), { name: "door/new", content: "x" }, { name: "door/file", content: "x" }],
      [link("../outside"), { name: "door/new", content: "x" }, { name: "door/file", content: "x" }],
      [link(join(outside, "file")), { name: "door", content: "x" }],
      [link("../outside/file"), { name: "door", content: "x" }],
      [
        { name: "sub", folder: true },
        { name: "sub/door", link: { kind: how, to: "../../outside" } },
        { name: "sub/door/new", content: "x" },
      ],
      [
        link("."),
        { name: "door/inner", link: { kind: how, to: "../outside" } },
        { name: "door/inner/new", content: "x" },
      ],
      [link("../outside"), { name: "door", folder: true }, { name: "door/new", content: "x" }],
    ];
    for (const [index, members] of attempts.entries()) {
      await kind.restore?.(forged(...members), into(join(folder.path, `to-${index}`))).catch(() => undefined);
      expect(readdirSync(outside)).toEqual(["file"]);
      expect(readFileSync(join(outside, "file"), "utf8")).toBe("untouched");
    }
  });
});

describe("a restore that cannot end", () => {
  const folderOf = async (megabytes: number): Promise<BackupReader> => {
    using folder = temporaryFolder();
    shell(
      folder.path,
      `mkdir tree; dd if=/dev/urandom of=tree/large bs=1M count=${megabytes} status=none; touch tree/z`,
    );
    return (await backUp({ paths: [join(folder.path, "tree")] })).reader;
  };

  it("for want of room says so and leaves nothing", async () => {
    using folder = temporaryFolder();
    const reader = await folderOf(8);
    shell(folder.path, "mkdir to; mount -t tmpfs -o size=2m none to");
    try {
      await expect(kind.restore?.(reader, into(join(folder.path, "to")))).rejects.toMatchObject({
        code: "storage-full",
        text: { key: "error-restore-full", args: { path: join(folder.path, "to") } },
      });
      expect(readdirSync(join(folder.path, "to"))).toEqual([]);
    } finally {
      shell(folder.path, "umount to");
    }
  });

  it("for want of the rest of the archive leaves nothing", async () => {
    using folder = temporaryFolder();
    const reader = await folderOf(3);
    const broken = new Error("the copy is damaged");
    const damaged: BackupReader = {
      ...reader,
      open: async (part) => {
        const bytes = await buffer(await reader.open(part));
        return Readable.from(
          (async function* () {
            yield bytes.subarray(0, bytes.length - 1000);
            throw broken;
          })(),
        );
      },
    };
    const to = join(folder.path, "new", "folder");
    await expect(kind.restore?.(damaged, into(to))).rejects.toBe(broken);
    expect(readdirSync(folder.path)).toEqual([]);
    mkdirSync(to, { recursive: true });
    const cut: BackupReader = {
      ...reader,
      open: async (part) => Readable.from([(await buffer(await reader.open(part))).subarray(0, 2_000_000)]),
    };
    await expect(kind.restore?.(cut, into(to))).rejects.toMatchObject({ code: "tool-failed" });
    expect(readdirSync(to)).toEqual([]);
    mkdirSync(join(folder.path, "scratch"));
    await expect(kind.testRestore?.(cut, scratchIn(join(folder.path, "scratch")))).rejects.toMatchObject({});
    expect(readdirSync(join(folder.path, "scratch"))).toEqual([]);
  });

  it("because it was cancelled leaves nothing, and no process", async () => {
    using folder = temporaryFolder();
    const reader = await folderOf(3);
    const controller = new AbortController();
    const slow: BackupReader = {
      ...reader,
      open: async (part) => {
        const bytes = await buffer(await reader.open(part));
        return Readable.from(
          (async function* () {
            yield bytes.subarray(0, 1_500_000);
            await vi.waitFor(() => expect(existsSync(join(folder.path, "to"))).toBe(true));
            controller.abort(new Error("stop now"));
            await new Promise(() => undefined);
          })(),
        );
      },
    };
    const target = { ...into(join(folder.path, "to")), signal: controller.signal };
    await expect(kind.restore?.(slow, target)).rejects.toThrow("stop now");
    expect(readdirSync(folder.path)).toEqual([]);
    await vi.waitFor(() => expect(shell("/", `pgrep -f -- '[-]-directory=${folder.path}' || true`)).toBe(""));
  });
});

describe("a worker that is not root", () => {
  const asNobody = async (script: string, ...args: readonly string[]): Promise<unknown> => {
    const child: ChildProcess = spawn(
      "setpriv",
      [
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        process.execPath,
        fileURLToPath(new URL(`../support/${script}`, import.meta.url)),
        ...args,
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env["PATH"] } },
    );
    const [output] = await Promise.all([buffer(child.stdout ?? Readable.from([])), once(child, "exit")]);
    return JSON.parse(output.toString());
  };

  it("is told that something of a set may be where it cannot look", async () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o755);
    shell(
      folder.path,
      "mkdir open closed hidden; touch open/.env closed/.env hidden/.env; chmod 700 closed; chmod 711 hidden",
    );
    const at = (name: string): string => join(folder.path, name);
    expect(await asNobody("sets-child.ts", folder.path)).toEqual({
      expanded: { paths: [at("hidden/.env"), at("open/.env")], closed: [at("closed"), at("hidden")] },
      refused: { key: "error-files-no-access", args: { path: at("closed") } },
      notes: [
        { kind: "unreadable", name: at("closed") },
        { kind: "unreadable", name: at("hidden") },
      ],
      paths: [at("hidden/.env"), at("open/.env")],
    });
  });

  it("restores what it may, and removes also what it may not write", async () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o777);
    expect(await asNobody("files-child.ts", folder.path)).toEqual({
      compared: { entries: 5, bytes: expect.any(Number) },
      differences: [],
      left: [],
    });
  });
});
