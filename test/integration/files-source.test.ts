import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import { sourceOf, temporaryFolder } from "../support/backup.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { backUp, fingerprint, into, scratchIn, shell } from "../support/trees.ts";

const kind = kindOf("files");
const { signal } = new AbortController();
const root = process.geteuid?.() === 0;

/** Names of all kinds of bytes, and all kinds of files that anybody may make. */
const everything = `
  mkdir tree && cd tree && mkdir -p empty closed deep
  echo one > 'with space'; echo two > -dash; echo three > --help; echo four > $'new\\nline'
  echo five > $'inv\\xff\\xfealid'; echo six > 'ключ: имя'; echo seven > 'back\\slash'; echo eight > $'tab\\tbell\\a'
  echo nine > 'tar: .: file changed as we read it'; echo ten > '*'
  ln with\\ space hard-link; ln -s 'with space' link; ln -s /etc/passwd outward; ln -s ../../x upward; ln -s nowhere dangling
  mkfifo fifo; truncate -s 50M sparse; printf x | dd of=sparse bs=1 seek=30000000 conv=notrunc status=none
  : > nothing; chmod 4755 nothing; chmod 1777 empty; echo hidden > closed/file; chmod 0 closed/file; chmod 500 closed
  touch -d '2001-02-03 04:05:06.123456789' -- -dash; touch -h -d @86400.5 link
  long=$(printf 'l%.0s' {1..90}); mkdir -p "$long/$long/$long"; echo deep > "$long/$long/$long/file"
  ${root ? "chown 12345:23456 nothing; chmod 4755 nothing; setfattr -n user.note -v hello with\\ space 2> /dev/null || true; mknod null c 1 3" : ""}
`;

describe("a tree of everything", () => {
  it("is the same after a restore, and everything in it is counted", async () => {
    using folder = temporaryFolder();
    shell(folder.path, everything);
    const tree = join(folder.path, "tree");
    // A worker that is not root may not read the closed file, nor make a device.
    const { reader, session } = await backUp({ paths: [tree], unreadable: "note" });
    const [part] = reader.manifest.parts;
    const count = Number(shell(tree, "find . -printf x | wc -c"));
    const unread = root ? 0 : 1;
    expect(part).toMatchObject({ role: "artifact", file: "artifact.tar.zst", entries: count - unread });
    expect(session.summary?.()).toMatchObject({ notesTotal: unread });
    const to = join(folder.path, "restored");
    const report = await kind.restore?.(reader, into(to));
    expect(report).toMatchObject({
      compared: { entries: count - unread, bytes: part?.rawBytes },
      differences: [],
      differencesTotal: 0,
    });
    const restored = join(to, tree);
    // Who is not root has not read the closed file.
    const original = root ? fingerprint(tree) : fingerprint(restored);
    expect(fingerprint(restored)).toBe(original);
    // 30 MB before the only byte.
    expect(statSync(join(restored, "sparse"))).toMatchObject({ size: 50 * 1024 * 1024 });
    expect(statSync(join(restored, "sparse")).blocks).toBeLessThan(1000);
    await expect(kind.restore?.(reader, into(to))).rejects.toMatchObject({ code: "conflict" });
  });

  it("is test-restored, compared, and removed again", async () => {
    using folder = temporaryFolder();
    shell(folder.path, everything);
    const { reader } = await backUp({ paths: [join(folder.path, "tree")], unreadable: "note" });
    mkdirSync(join(folder.path, "scratch"));
    const report = await kind.testRestore?.(reader, scratchIn(join(folder.path, "scratch")));
    expect(report).toMatchObject({ compared: { entries: expect.any(Number) }, differences: [], differencesTotal: 0 });
    expect(readdirSync(join(folder.path, "scratch"))).toEqual([]);
  });

  it("is compared in more than its number", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree && cd tree && echo one > one && echo two > two && chmod 600 two");
    const { reader } = await backUp({ paths: [join(folder.path, "tree")] });
    const scratch = join(folder.path, "scratch");
    mkdirSync(scratch);
    let reads = 0;
    const open: typeof reader.open = async (part) => {
      // Between the extraction and the comparison.
      if (++reads === 2) shell(join(scratch, "tree", folder.path, "tree"), "echo 2 > two; rm one");
      return await reader.open(part);
    };
    const report = await kind.testRestore?.({ ...reader, open }, scratchIn(scratch));
    const names = report?.differences.map(({ what }) => what.slice(folder.path.length));
    expect([...new Set(names)].sort()).toEqual(["/tree/one", "/tree/two"]);
  });
});

describe("what is read", () => {
  const names = async (config: object): Promise<string[]> => {
    using folder = temporaryFolder();
    const { reader } = await backUp(config);
    await kind.restore?.(reader, into(join(folder.path, "to")));
    return shell(join(folder.path, "to"), "find . -type f -o -type l | sort").trim().split("\n");
  };

  it("leaves out what a pattern fits, anywhere or at one place", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir -p a/cache b/cache; touch a/x.log a/cache/1 b/cache/2 b/y.log b/keep a/-o");
    const base = `.${folder.path}`;
    const paths = [folder.path];
    expect(await names({ paths, exclude: ["*.log"] })).toEqual(
      ["a/-o", "a/cache/1", "b/cache/2", "b/keep"].map((name) => `${base}/${name}`),
    );
    expect(await names({ paths, exclude: [`${folder.path}/a/cache/`, "-o", "/cache"] })).toEqual(
      ["a/x.log", "b/cache/2", "b/keep", "b/y.log"].map((name) => `${base}/${name}`),
    );
  });

  it("stores nothing twice, and of a link also what it stands for", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir -p real/sub; echo 1 > real/sub/file; ln -s real current");
    const at = (name: string): string => join(folder.path, name);
    const { reader } = await backUp({ paths: [at("real"), at("real/sub"), at("real/sub/file")] });
    expect(reader.manifest.parts[0]?.entries).toBe(3);
    expect(await names({ paths: [at("current")] })).toEqual([`.${at("current")}`, `.${at("real/sub/file")}`]);
    expect(await names({ paths: [at("current")], followSymlinks: true })).toEqual([`.${at("current/sub/file")}`]);
  });

  it("names a link that leads nowhere as left out where links are followed, and not as vanished", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir tree; echo 1 > tree/file; ln -s gone tree/dangling");
    const { reader, session } = await backUp({ paths: [join(folder.path, "tree")], followSymlinks: true });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    expect(session.summary?.().notes).toEqual([{ kind: "left-out", name: join(folder.path, "tree/dangling") }]);
  });

  it("is an error when a path is missing, however good the others are", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir here; ln -s gone dangling");
    for (const name of ["gone", "dangling"]) {
      const paths = [join(folder.path, "here"), join(folder.path, name)];
      await expect(backUp({ paths })).rejects.toMatchObject({
        code: "source-failed",
        text: { key: "error-files-missing", args: { path: join(folder.path, name) } },
      });
    }
    const { reader } = await backUp({ paths: [join(folder.path, "here")] });
    expect(reader.manifest.parts[0]?.entries).toBe(1);
  });

  it("is never nothing at all", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "touch only");
    const paths = [join(folder.path, "only")];
    await expect(backUp({ paths, exclude: ["only"] })).rejects.toMatchObject({ text: { key: "error-source-empty" } });
  });

  it.each(["relative", "/a/../b", "/a//b", "/a\nb", "/./a"])("cannot be named %j", (path) => {
    expect(sourceSchema.safeParse({ kind: "files", paths: [path] }).success).toBe(false);
  });
});

describe("a container", () => {
  it("has tar run in it, without a terminal", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "mkdir data; echo 1 > data/file");
    const docker = scriptIn(folder.path, "docker", 'echo "$*" >> "$0.log"; shift 3; exec "$@"');
    const { reader } = await backUp({ paths: [join(folder.path, "data")], via: [docker, "exec", "-i", "app"] });
    expect(reader.manifest.parts[0]?.entries).toBe(2);
    expect(shell(folder.path, "cat docker.log")).toMatch(/^exec -i app env -u TAR_OPTIONS LC_ALL=C tar --create/m);
    const terminal = sourceOf({ kind: "files", paths: ["/etc"], via: [docker, "exec", "-it", "app"] });
    await expect(terminal.inspect(signal)).rejects.toMatchObject({ text: { key: "error-via-terminal" } });
  });

  it("needs GNU tar", async () => {
    using folder = temporaryFolder();
    const busy = scriptIn(folder.path, "docker", "echo 'tar (busybox) 1.36.1'");
    const source = sourceOf({ kind: "files", paths: ["/etc"], via: [busy, "exec", "-i", "app"] });
    await expect(source.inspect(signal)).rejects.toMatchObject({
      code: "tool-too-old",
      text: { args: { found: "tar (busybox) 1.36.1" } },
    });
  });
});

describe("checkReadable", () => {
  it("counts what is in the archive, and compares", async () => {
    using folder = temporaryFolder();
    shell(folder.path, "touch a b $'c\\nd'");
    const { reader } = await backUp({ paths: [folder.path] });
    const [part] = reader.manifest.parts;
    if (part === undefined) throw new Error("no part");
    const bytes = await buffer(await reader.open(part));
    const check = (more: object) => kind.checkReadable({ ...part, ...more }, Readable.from([bytes]), signal);
    expect(part.entries).toBe(4);
    await check({});
    for (const wrong of [{ entries: 5 }, { rawBytes: 1 }])
      await expect(check(wrong)).rejects.toMatchObject({ text: { key: "error-files-count" } });
  });
});
