import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeManifest, parseManifest } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { type CliResult, startCli } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { startOnTerminal } from "../support/pty.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { flipBit, rewriteParts } from "../support/verify.ts";

let postgres: PostgresServer;
let s3: S3Server;
let shared: string;
let folder: string;
let identity: string;
let recipient: string;
let fresh = 0;

beforeAll(async () => {
  shared = mkdtempSync(join(tmpdir(), "vakhta-cli-restore-"));
  [postgres, s3, identity] = await Promise.all([startPostgres(), startS3(), generateIdentity()]);
  recipient = await recipientOf(identity);
  await postgres.createDatabase("shop", "CREATE TABLE item AS SELECT generate_series(1, 5000) AS id");
  mkdirSync(join(shared, "tree/below"), { recursive: true });
  writeFileSync(join(shared, "tree/file"), "content\n".repeat(5000));
  writeFileSync(join(shared, "tree/below/other"), "other");
});
afterAll(async () => {
  rmSync(shared, { recursive: true, force: true });
  await Promise.allSettled([postgres?.stop(), s3?.stop()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-restore-"));
  writeFileSync(join(folder, "key.txt"), `# made by keygen\n${identity}\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Backup {
  readonly id: string;
  /** Of the configuration that it was made with. */
  readonly config: string;
  readonly local: readonly string[];
  readonly offsite: readonly string[];
  readonly key: readonly string[];
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const made = new Map<string, Promise<string>>();

/** A backup that was made on a machine with a configuration whose Redis is down; the local copy is the test's own. */
async function backedUp(kind: "tree" | "database", options: { readonly encrypted?: boolean } = {}): Promise<Backup> {
  const { encrypted = true } = options;
  const name = `${kind}-${encrypted}`;
  const config = join(shared, `${name}.yaml`);
  const sources = {
    tree: `{ kind: files, paths: ["${shared}/tree"] }`,
    database: `{ kind: postgres, url: "${postgres.url("shop")}" }`,
  };
  const make = async (): Promise<string> => {
    writeFileSync(
      config,
      `redis: { url: "redis://127.0.0.1:1" }
worker: { host: here }
${encrypted ? `encryption: { recipients: [${recipient}] }` : ""}
storages:
  local: { kind: local, path: "${shared}/${name}" }
  offsite: { kind: s3, endpoint: "${s3.endpoint}", bucket: ${s3.bucket}, prefix: ${name}, accessKeyId: "${s3.accessKeyId}", secretAccessKey: "${s3.secretAccessKey}", forcePathStyle: true }
backups: [{ name: app, source: ${sources[kind]} }]
`,
    );
    const { stdout, stderr, status } = await runHere(["backup", "app", "--here", "--json", "--config", config]);
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("vakhta prune") });
    return (JSON.parse(stdout) as { id: string }).id;
  };
  const making = made.get(name) ?? make();
  made.set(name, making);
  const id = await making;
  cpSync(join(shared, name), join(folder, "local"), { recursive: true });
  return {
    id,
    config,
    local: ["--storage", `file://${folder}/local`],
    offsite: ["--storage", `s3://${s3.bucket}/${name}?endpoint=${s3.endpoint}`],
    key: encrypted ? ["--identity", join(folder, "key.txt")] : [],
  };
}

/** On a machine without a configuration. */
async function cli(backup: Partial<Backup>, ...args: readonly string[]): Promise<CliResult> {
  const { local = [], offsite = [], key = [] } = backup;
  const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
  return await runHere([...args, ...local, ...offsite, ...key], { env });
}

const newDatabase = (): string => postgres.url(`restored_${++fresh}`);
const databases = async (): Promise<string> =>
  await postgres.psql("postgres", `SELECT count(*) FROM pg_database WHERE datname = 'restored_${fresh}'`);
const out = (): string => join(folder, "out");
const artifact = (): string => join(folder, globSync("local/app/*/artifact*", { cwd: folder })[0] ?? "none");
const manifest = (): string => join(folder, globSync("local/app/*/manifest.json", { cwd: folder })[0] ?? "none");

describe("vakhta restore on a bare machine", { timeout: 180_000 }, () => {
  it("restores a database from storages and a key alone: says what, compares, leaves a note", async () => {
    const backup = await backedUp("database");
    const { status, stdout, stderr } = await cli(backup, "restore", "app", "--to", newDatabase(), "--yes");
    expect(lines(stderr)).toEqual([
      expect.stringMatching(`^backup ${backup.id} of app \\(postgres\\), `),
      `copy: file://${folder}/local`,
      expect.stringMatching(/^size: .* stored, about .* unpacked$/),
      expect.stringMatching(/^into: postgresql:\/\/postgres:\[redacted\]@127/),
      expect.stringMatching(/^free room: not on this machine/),
      expect.stringMatching(/^programs: PostgreSQL \d.*, pg_restore \d.*, zstd \d/),
      "encrypted: the identity fits",
      "comparing what is stored",
      "restoring",
    ]);
    expect(stdout).toMatch(/^restored and compared: rows 5000, tables 1, objects \d+, in /);
    expect(status).toBe(0);
    expect(await postgres.psql(`restored_${fresh}`, "SELECT count(*) FROM item")).toBe("5000");
    const [note = ""] = globSync("local/app/*/audit-*.json", { cwd: folder });
    const audit = readFileSync(join(folder, note), "utf8");
    expect(JSON.parse(audit)).toMatchObject({ version: 1, action: "restore", outcome: "restored" });
    expect(audit).not.toContain(postgres.password);
  });

  it("tells the result as one document, and lists and proves there too", async () => {
    const backup = await backedUp("tree");
    const restored = await cli(backup, "restore", backup.id, "--to", out(), "--yes", "--json");
    expect(restored.status).toBe(0);
    expect(JSON.parse(restored.stdout)).toMatchObject({ id: backup.id, ok: true, compared: { entries: 4 } });
    expect(readFileSync(join(out(), shared.slice(1), "tree/below/other"), "utf8")).toBe("other");
    const { local, offsite, key } = backup;
    const proven = await cli({ local, key }, "verify", "latest:app", "--depth", "readable", "--json");
    expect(proven).toMatchObject({ status: 0 });
    const listed = await cli({ local, offsite }, "backups", "app", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject({
      backups: [
        {
          id: backup.id,
          copies: [`file://${folder}/local`, `s3://${s3.bucket}/tree-true`],
          proofs: [{ storage: `file://${folder}/local`, depth: "readable", ok: true }],
        },
      ],
    });
    writeFileSync(join(manifest(), "../pin.json"), '{"version":1,"at":"2026-03-01T00:00:00Z","by":"alice"}');
    const table = await cli({ local }, "backups");
    expect(table.stdout).toMatch(/ PROOF +COPIES\n.* app .* readable, pinned +file:/);
  });

  it("works with a configuration whose Redis is down, and with one storage of it", async () => {
    const { config, id, key } = await backedUp("tree");
    const args = ["restore", id, "--to", out(), "--yes", "--config", config];
    const { status, stderr } = await cli({ key }, ...args, "--storage", "offsite");
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("copy: offsite (s3://") });
    const unknown = await cli({}, "backups", "--storage", "nowhere", "--config", config);
    expect(unknown).toMatchObject({ status: 2, stderr: "there is no storage nowhere; there are: local, offsite\n" });
  });

  it("gives the parts of any kind as plain files, decrypted and unpacked", async () => {
    const backup = await backedUp("database");
    const { status, stdout } = await cli(backup, "restore", "app", "--to", out(), "--files", "--yes");
    expect(status).toBe(0);
    expect(lines(stdout).slice(1)).toEqual(["artifact.dump", "globals.sql", "manifest.json"]);
    expect(readdirSync(out()).toSorted()).toEqual(["artifact.dump", "globals.sql", "manifest.json"]);
    expect(readFileSync(join(out(), "artifact.dump")).subarray(0, 5).toString()).toBe("PGDMP");
    expect(readFileSync(join(out(), "globals.sql"), "utf8")).toContain("CREATE ROLE");
  });

  it("takes the password of its target from the environment, where other users do not see it", async () => {
    const { local } = await backedUp("database", { encrypted: false });
    const env = { VAKHTA_RESTORE_TO: newDatabase() };
    expect(await runHere(["restore", "app", "--yes", ...local], { env })).toMatchObject({ status: 0 });
    expect(await databases()).toBe("1");
  });
});

describe("vakhta restore refuses", { timeout: 180_000 }, () => {
  it("what is not empty, before anything is read", async () => {
    const backup = await backedUp("database");
    const { status, stdout, stderr } = await cli(backup, "restore", "app", "--to", postgres.url("shop"), "--yes");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(lines(stderr)).toEqual(["database shop is not empty: it has table public.item"]);
    mkdirSync(out());
    writeFileSync(join(out(), "mine"), "precious");
    const files = await cli(backup, "restore", "app", "--to", out(), "--files", "--yes", "--json");
    expect(files.status).toBe(1);
    expect(JSON.parse(files.stdout)).toMatchObject({ error: { code: "conflict" } });
    expect(readdirSync(out())).toEqual(["mine"]);
  });

  it("without anybody to ask, without a target, and what there is not: a wrong usage", async () => {
    const backup = await backedUp("tree");
    expect(await cli(backup, "restore", "app", "--to", out())).toMatchObject({
      status: 2,
      stderr: "there is nobody at a terminal to ask: say --yes\n",
    });
    expect(await cli(backup, "restore", "app", "--yes")).toMatchObject({ status: 2 });
    expect(await cli(backup, "restore", "else", "--to", out(), "--yes")).toMatchObject({
      status: 2,
      stderr: "there is no backup else in these storages.\n",
    });
    expect(await cli(backup, "restore", "app@", "--to", out(), "--yes")).toMatchObject({
      status: 2,
      stderr: "there is no backup app@ in these storages.\n",
    });
    expect(await cli(backup, "restore", "app", "--to", out(), "--yes", "--database", "shop")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^--database: a backup of kind files has no databases/),
    });
    expect(readdirSync(folder)).not.toContain("out");
  });

  it("a key that does not fit, no key, and a file that holds none: one line each", async () => {
    const { key, ...keyless } = await backedUp("tree");
    const restore = ["restore", "app", "--to", out(), "--yes"];
    const none = await cli(keyless, ...restore);
    expect({ ...none, stderr: lines(none.stderr) }).toMatchObject({
      status: 1,
      stderr: [expect.stringMatching(/is encrypted: its private key/)],
    });
    writeFileSync(join(folder, "key.txt"), await generateIdentity());
    const other = await cli({ ...keyless, key }, ...restore);
    expect({ ...other, stderr: lines(other.stderr) }).toMatchObject({
      status: 1,
      stderr: [`the identity does not open backup ${keyless.id}: it is encrypted for ${recipient}`],
    });
    // Somebody else's key says nothing against the backup: no failed proof is written.
    expect(await cli({ ...keyless, key }, "verify", "app", "--depth", "readable")).toMatchObject({ status: 1 });
    expect(globSync("local/app/*/proof.json", { cwd: folder })).toEqual([]);
    writeFileSync(join(folder, "key.txt"), "nothing of a key");
    const nothing = await cli({ ...keyless, key }, ...restore);
    expect({ ...nothing, stderr: lines(nothing.stderr) }).toMatchObject({
      status: 78,
      stderr: [expect.stringContaining("holds no age identities")],
    });
    expect(readdirSync(folder)).not.toContain("out");
  });

  it("a manifest of a newer version, and two that tell different things", async () => {
    const { local, offsite } = await backedUp("tree", { encrypted: false });
    const restore = ["restore", "app", "--to", out(), "--yes"];
    const before = readFileSync(manifest());
    rewriteParts(manifest(), { entries: 77 });
    const altered = await cli({ local, offsite }, ...restore);
    expect(altered).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^the manifests of app\/.* differ between/),
    });
    writeFileSync(manifest(), before.toString().replace(/"entries": \d+/, '"entries": 77'));
    const forged = await cli({ local }, ...restore);
    expect({ ...forged, stderr: lines(forged.stderr) }).toMatchObject({ status: 1, stderr: [expect.any(String)] });
    writeFileSync(manifest(), before.toString().replace('"version": 1', '"version": 9'));
    const newer = await cli({ local }, ...restore);
    expect({ ...newer, stderr: lines(newer.stderr) }).toMatchObject({
      status: 1,
      stderr: [expect.stringMatching(/version 9.* up to 1/)],
    });
    expect(readdirSync(folder)).not.toContain("out");
  });

  it("a damaged copy before the first row is written, and takes the other one", async () => {
    const { local, offsite, key } = await backedUp("database");
    flipBit(artifact());
    const restore = ["restore", "app", "--to", newDatabase(), "--yes"];
    const alone = await cli({ local, key }, ...restore);
    expect(alone).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(/artifact.*is damaged/) });
    expect(alone.stderr).not.toContain("restoring");
    expect(await databases()).toBe("0");
    const { status, stderr } = await cli({ local, offsite, key }, ...restore);
    expect(stderr).toMatch(/the copy in file:\S+ is not used: .*is damaged/);
    expect(status).toBe(0);
  });

  it("an older backup where the newest is incomplete or may lie in a storage that cannot be seen, and names what there is", async () => {
    const { local, key, id } = await backedUp("tree");
    const older = join(manifest(), "..");
    const newer = join(folder, "local/app/29991231T000000Z-newest");
    mkdirSync(newer);
    const told = parseManifest(readFileSync(join(older, "manifest.json")));
    const newest = { ...told, id: "newest", startedAt: "2999-12-31T00:00:00.000Z" };
    writeFileSync(join(newer, "manifest.json"), encodeManifest(newest));
    const restore = (which: string, ...more: readonly string[]): Promise<CliResult> =>
      cli({ local, key }, "restore", which, "--to", out(), "--yes", ...more);
    const incomplete = await restore("latest:app");
    expect(incomplete).toMatchObject({ status: 1, stdout: "" });
    expect(lines(incomplete.stderr).slice(-2)).toEqual([
      expect.stringMatching(`^the newest other backup that is whole: ${id} of app, `),
      expect.stringMatching(/artifact/),
    ]);
    rmSync(newer, { recursive: true });
    const down = ["--storage", `s3://${s3.bucket}/tree-true?endpoint=http://127.0.0.1:1`];
    for (const which of ["latest:app", "app", "app@20"]) {
      const refused = await restore(which, "--json", ...down);
      expect(refused.status).toBe(1);
      expect(lines(refused.stderr)).toEqual([
        expect.stringMatching(`^s3://${s3.bucket}/tree-true: `),
        expect.stringMatching(`^s3://${s3.bucket}/tree-true could not be looked into: .* ${id} `),
      ]);
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "storage-unreachable" } });
    }
    expect(await cli({ local, key }, "verify", "app", ...down)).toMatchObject({ status: 1 });
    const named = await restore(id, "--json", ...down);
    expect({ ...named, stderr: lines(named.stderr)[0] }).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(`^s3://${s3.bucket}/tree-true: `),
    });
    expect(JSON.parse(named.stdout)).toMatchObject({ ok: true, unseen: [`s3://${s3.bucket}/tree-true`] });
  });

  it("damaged bytes that it meets on its way, and takes back what it has made", async () => {
    const { local, key } = await backedUp("database");
    flipBit(artifact());
    const args = ["restore", "app", "--to", newDatabase(), "--yes", "--no-check", "--json"];
    const met = await cli({ local, key }, ...args);
    expect(met.status).toBe(1);
    expect(JSON.parse(met.stdout)).toMatchObject({ error: { code: expect.any(String) }, target: { state: "nothing" } });
    expect(met.stderr).toMatch(/nothing of it is left there\.\n$/);
    expect(await databases()).toBe("0");
    const files = await cli({ local, key }, "restore", "app", "--to", out(), "--files", "--yes", "--no-check");
    expect(files).toMatchObject({ status: 1, stderr: expect.stringContaining("nothing of it is left there") });
    expect(readdirSync(folder)).not.toContain("out");
  });

  it("a target whose server cannot be asked, in one line and without its password", async () => {
    const { local, key } = await backedUp("database");
    const to = "postgresql://me:hidden-password@127.0.0.1:1/nothing";
    const { status, stderr } = await cli({ local, key }, "restore", "app", "--to", to, "--yes");
    expect(status).toBe(1);
    expect(lines(stderr)).toEqual([
      expect.stringMatching(/^the server to restore to .*127\.0\.0\.1.*port 1 failed: .*refused/),
    ]);
    expect(stderr).not.toContain("hidden-password");
  });
});

describe("vakhta restore", { timeout: 180_000 }, () => {
  it("exits with 3 when what is there now is not what the manifest says", async () => {
    const { local } = await backedUp("tree", { encrypted: false });
    rewriteParts(manifest(), { entries: 5 });
    const { status, stdout, stderr } = await cli({ local }, "restore", "app", "--to", out(), "--yes");
    expect(status).toBe(3);
    expect(stderr).toContain("entries: 5 backed up, 4 restored");
    expect(stdout).toMatch(/^restored in .*, and not as it was backed up: 1 difference/);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends by %s with 130, and says what it has left", async (signal) => {
    const { local } = await backedUp("tree", { encrypted: false });
    const slow = join(folder, "slow");
    // Unpacks for ever.
    const tar = `case "$*" in *--version*) exec /bin/tar --version ;; esac\n: > ${slow}\nexec sleep 600`;
    mkdirSync(join(folder, "bin"));
    scriptIn(join(folder, "bin"), "tar", tar);
    const env = { PATH: `${folder}/bin:${process.env["PATH"]}` };
    await using running = startCli(["restore", "app", "--to", out(), "--yes", "--json", ...local], {
      cwd: folder,
      env,
    });
    await vi.waitUntil(() => existsSync(slow), { timeout: 60_000 });
    running.kill(signal);
    const { status, stdout, stderr } = await running.done;
    expect({ status, told: lines(stderr).slice(-2) }).toEqual({
      status: 130,
      told: ["interrupted.", "nothing of it is left there."],
    });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "cancelled", message: "interrupted." } });
    expect(readdirSync(folder)).not.toContain("out");
  });

  it("has the name typed on a terminal, draws a bar there, and does nothing for another word", async () => {
    const { local } = await backedUp("tree", { encrypted: false });
    const args = ["restore", "app", "--to", out(), ...local];
    await using refused = startOnTerminal(args, { cwd: folder });
    await refused.see(/Type the backup's name \(app\) to restore it: /);
    refused.type("yes\r");
    expect(await refused.done).toBe(1);
    expect(refused.shown()).toContain("app was not typed: nothing was done");
    expect(readdirSync(folder)).not.toContain("out");
    await using agreed = startOnTerminal(args, { cwd: folder });
    await agreed.see(/to restore it: /);
    agreed.type("app\r");
    expect(await agreed.done).toBe(0);
    expect(agreed.shown()).toMatch(/comparing what is stored \[#+-*\] +\d+ %/);
    expect(agreed.shown()).toMatch(/restored and compared: entries 4/);
  });
});
