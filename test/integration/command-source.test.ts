import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { redact } from "../../src/lib/redaction.ts";
import type { CommandConfig } from "../../src/sources/command/schema.ts";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import type { BackupReader, RestoreTarget, Scratch } from "../../src/sources/types.ts";
import { quiet, sourceOf, temporaryFolder } from "../support/backup.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { readerOf, takeParts } from "../support/parts.ts";

const signal = new AbortController().signal;
const kind = kindOf("command");

const configOf = (more: object): CommandConfig => {
  const config = sourceSchema.parse({ kind: "command", argv: ["printf", "all that there is\n"], ...more });
  if (config.kind !== "command") throw new Error("another kind");
  return config;
};
const take = async (more: object) => (await takeParts(sourceOf(configOf(more))))[0];
const backup = async (more: object = {}): Promise<BackupReader> =>
  readerOf("command", await takeParts(sourceOf(configOf(more))));
const targetAt = (to: string): RestoreTarget => ({ to, signal, logger: quiet });
const scratchAt = (folder: string): Scratch => ({ folder, id: "vakhta_verify_1", signal, logger: quiet });

describe("the output of a program", () => {
  it("is packed with zstd unless told otherwise", async () => {
    const packed = await take({ file: "dump.sql" });
    expect(packed).toMatchObject({ role: "artifact", file: "dump.sql.zst", facts: { rawBytes: 18 } });
    expect(zstdDecompressSync(packed?.bytes ?? "").toString()).toBe("all that there is\n");
    const plain = await take({ compress: "none" });
    expect(plain).toMatchObject({ file: "artifact.bin", facts: { rawBytes: 18 } });
    expect(plain?.bytes.toString()).toBe("all that there is\n");
  });

  it.each(["zstd", "none"])("is no backup when there is none, unless that may be (%s)", async (compress) => {
    await expect(take({ argv: ["true"], compress })).rejects.toMatchObject({
      code: "source-failed",
      context: { step: "true", exit: "exit status 0" },
      text: { key: "error-command-empty" },
    });
    expect(await take({ argv: ["true"], compress, allowEmpty: true })).toMatchObject({ facts: { rawBytes: 0 } });
    // A single byte is something.
    expect(await take({ argv: ["printf", "x"], compress })).toMatchObject({ facts: { rawBytes: 1 } });
  });

  it("fails with the program's status and words, its secrets left out", async () => {
    using folder = temporaryFolder();
    const script = scriptIn(folder.path, "dump", 'echo half; echo "cannot log in with $DB_PASSWORD" >&2; exit 3');
    const error: unknown = await take({ argv: [script], env: { DB_PASSWORD: "sesame-of-dump" } }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({
      code: "tool-failed",
      context: { step: "dump", exit: "exit status 3", stderr: "cannot log in with [redacted]" },
    });
    expect(redact("sesame-of-dump")).toBe("[redacted]");
  });

  it("is taken in the folder and with the variables that are configured, and with no others", async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "here"), "found");
    const script = scriptIn(folder.path, "dump", "cat here; env");
    const part = await take({ argv: [script], env: { ONLY_THIS: "one" }, cwd: folder.path, compress: "none" });
    const output = part?.bytes.toString() ?? "";
    expect(output).toMatch(/^found/);
    expect(output).toContain("ONLY_THIS=one\n");
    expect(output).not.toMatch(/VITEST|NODE_ENV/);
  });

  it("needs its program and its folder", async () => {
    await expect(take({ argv: ["no-such-dump"] })).rejects.toMatchObject({ code: "tool-missing" });
    await expect(take({ cwd: "/no/such/folder" })).rejects.toMatchObject({ text: { key: "error-command-folder" } });
  });
});

describe("the configuration", () => {
  it.each([
    [{ argv: ["mongodump", "--uri=mongodb://u:hunter22@h"] }, ["argv", 1]],
    [{ argv: ["mysqldump", "-phunter22"], env: { MYSQL_PWD: "hunter22" } }, ["argv", 1]],
    [{ argv: ["x"], check: ["y", "hunter22"], env: { SOME_TOKEN: "hunter22" } }, ["check", 1]],
  ])("refuses a password among the arguments: %j", (more, path) => {
    const issues = sourceSchema.safeParse({ kind: "command", ...more }).error?.issues;
    expect(issues).toMatchObject([{ path, message: "config-problem-command-secret" }]);
    expect(JSON.stringify(issues)).not.toContain("hunter");
  });

  it("accepts what is no secret", () => {
    expect(configOf({ argv: ["x", "-h", "localhost"], env: { PGHOST: "localhost", API_KEY: "-h" } }).env).toBeDefined();
  });

  it.each(["../x", "manifest.json", "dump.zst", "dump.age", ".hidden", "a b", ""])(
    "refuses the file name %j",
    (file) => {
      expect(sourceSchema.safeParse({ kind: "command", argv: ["x"], file }).success).toBe(false);
    },
  );
});

describe.each(["zstd", "none"])("checkReadable (%s)", (compress) => {
  const checkWith = async (check: readonly string[] | undefined, cut = 1) => {
    const more = { compress, argv: ["head", "-c", "3000000", "/dev/zero"], ...(check && { check }) };
    const [part] = await takeParts(sourceOf(configOf(more)));
    const bytes = part?.bytes.subarray(0, part.bytes.length * cut) ?? Buffer.alloc(0);
    const stored = { role: "artifact", file: part?.file ?? "", bytes: bytes.length, sha256: "" };
    await kind.checkReadable(stored, Readable.from([bytes]), signal, configOf(more));
  };

  it("gives the plain backup to the program that was named", async () => {
    await checkWith(["sh", "-c", '[ "$(wc -c)" = 3000000 ]']);
    await expect(checkWith(["sh", "-c", "cat > /dev/null; echo broken >&2; exit 4"])).rejects.toMatchObject({
      context: { step: "sh", exit: "exit status 4", stderr: "broken" },
    });
  });

  it("does not trust a program that has not read everything", async () => {
    await expect(checkWith(["head", "-c", "1"])).rejects.toMatchObject({
      code: "source-failed",
      text: { key: "error-part-unread", args: { step: "head" } },
    });
    await expect(checkWith(["sh", "-c", "head -c 1 > /dev/null; echo bad >&2; exit 5"])).rejects.toMatchObject({
      context: { step: "sh", exit: "exit status 5", stderr: "bad" },
    });
  });

  it("without a program goes by what it knows itself", async () => {
    await expect(checkWith(undefined)).resolves.toBeUndefined();
    const ofHalf = await checkWith(undefined, 0.5).then(
      () => "taken",
      () => "refused",
    );
    expect(ofHalf).toBe(compress === "zstd" ? "refused" : "taken");
  });
});

describe("restore", () => {
  it.each(["zstd", "none"])("writes the plain file into an empty or missing folder (%s)", async (compress) => {
    using folder = temporaryFolder();
    const reader = await backup({ compress, file: "dump.sql" });
    const to = join(folder.path, "new");
    expect(await kind.restore?.(reader, targetAt(to))).toMatchObject({ compared: { bytes: 18 }, differences: [] });
    expect(readFileSync(join(to, "dump.sql"), "utf8")).toBe("all that there is\n");
    await expect(kind.restore?.(reader, targetAt(to))).rejects.toMatchObject({ code: "conflict" });
    expect(readdirSync(to)).toEqual(["dump.sql"]);
  });

  it("leaves no half file", async () => {
    using folder = temporaryFolder();
    for (const compress of ["zstd", "none"]) {
      const reader = await backup({ compress });
      const broken = new Error("the copy is damaged");
      const damaged: BackupReader = {
        ...reader,
        open: async (part) => {
          const whole = await reader.open(part);
          return Readable.from(
            (async function* () {
              yield* whole;
              throw broken;
            })(),
          );
        },
      };
      await expect(kind.restore?.(damaged, targetAt(folder.path))).rejects.toBe(broken);
      expect(readdirSync(folder.path)).toEqual([]);
    }
  });

  it("gives it to the program that was named, and its status counts", async () => {
    using folder = temporaryFolder();
    const reader = await backup();
    const to = join(folder.path, "restored");
    const config = configOf({ restore: [scriptIn(folder.path, "restore", 'cat > "$VAKHTA_RESTORE_TO"')] });
    expect(await kind.restore?.(reader, targetAt(to), config)).toMatchObject({ differencesTotal: 0 });
    expect(readFileSync(to, "utf8")).toBe("all that there is\n");
    const failing = configOf({ restore: [scriptIn(folder.path, "fail", "cat > /dev/null; exit 1")] });
    await expect(kind.restore?.(reader, targetAt(to), failing)).rejects.toMatchObject({ code: "tool-failed" });
  });
});

describe.each(["zstd", "none"])("a small backup (%s)", (compress) => {
  it("is neither sound nor restored by a program that reads nothing of it, as docker exec without -i", async () => {
    using folder = temporaryFolder();
    const reader = await backup({ compress });
    const [part = { role: "", file: "", bytes: 0, sha256: "" }] = reader.manifest.parts;
    const config = configOf({ check: ["true"], restore: ["true"], testRestore: ["true"] });
    const unread = { code: "source-failed", text: { key: "error-part-unread", args: { step: "true" } } };
    await expect(kind.checkReadable(part, await reader.open(part), signal, config)).rejects.toMatchObject(unread);
    await expect(kind.restore?.(reader, targetAt(join(folder.path, "new")), config)).rejects.toMatchObject(unread);
    await expect(kind.testRestore?.(reader, scratchAt(folder.path), config)).rejects.toMatchObject(unread);
  });
});

describe("testRestore", () => {
  it("runs the program that was named in the scratch folder", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "scratch"));
    const script = '[ "$PWD" = "$VAKHTA_SCRATCH" ] && cat > copy && grep -q "that there" copy';
    const config = configOf({ testRestore: [scriptIn(folder.path, "test", script)] });
    const scratch = scratchAt(join(folder.path, "scratch"));
    expect(await kind.testRestore?.(await backup(), scratch, config)).toMatchObject({ differences: [], compared: {} });
    const other = await backup({ argv: ["printf", "something else"] });
    await expect(kind.testRestore?.(other, scratch, config)).rejects.toMatchObject({ context: { step: "test" } });
  });

  it("is not possible without one, and says so", async () => {
    using folder = temporaryFolder();
    await expect(kind.testRestore?.(await backup(), scratchAt(folder.path))).rejects.toMatchObject({
      code: "config",
      text: { key: "error-command-no-test" },
    });
  });
});

// The example of the documentation.
it("backs an SQLite database up, and test-restores it", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "app.db");
  using database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('one'), ('two');");
  const config = configOf({
    argv: ["sqlite3", "-readonly", "-bail", file, ".dump"],
    file: "app.sql",
    check: ["sqlite3", "-bail", ":memory:"],
    testRestore: ["sqlite3", "-bail", "scratch.db"],
    restore: ["sh", "-c", 'exec sqlite3 -bail "$VAKHTA_RESTORE_TO"'],
  });
  const reader = readerOf("command", await takeParts(sourceOf(config)));
  const [part] = reader.manifest.parts;
  if (part === undefined) throw new Error("no part");
  await kind.checkReadable(part, await reader.open(part), signal, config);
  mkdirSync(join(folder.path, "scratch"));
  await kind.testRestore?.(reader, scratchAt(join(folder.path, "scratch")), config);
  const to = join(folder.path, "restored.db");
  await kind.restore?.(reader, targetAt(to), config);
  using restored = new DatabaseSync(to);
  expect(restored.prepare("SELECT count(*) AS rows FROM t").get()).toEqual({ rows: 2 });
  expect(await text(Readable.from([zstdDecompressSync((await take({ argv: config.argv }))?.bytes ?? "")]))).toContain(
    "COMMIT",
  );
});
