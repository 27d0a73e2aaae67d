import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manifestSchema } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { run, startPipeline } from "../../src/lib/process.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { verifyReadable, verifyStored } from "../../src/services/backup/verify.ts";
import { filesBelow, orderOf, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type S3Server, startS3 } from "../support/s3.ts";

const schema = `
CREATE TABLE numbers AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 50000) g;
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."it's ""odd"".\\:x" (a int);
INSERT INTO "Odd Schema"."it's ""odd"".\\:x" VALUES (1), (2);
CREATE TABLE parted (a int) PARTITION BY RANGE (a);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (100);
INSERT INTO parted SELECT g FROM generate_series(0, 29) g;
CREATE TABLE parent (a int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2), (3);
CREATE TABLE empty_one (a int);
CREATE UNLOGGED TABLE unlogged_one AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM numbers;
CREATE VIEW some_view AS SELECT * FROM numbers;
`;

const counts = {
  '"Odd Schema"."it\'s ""odd"".\\:x"': 2,
  "public.child": 2,
  "public.empty_one": 0,
  "public.numbers": 50000,
  "public.parent": 1,
  "public.parted_high": 20,
  "public.parted_low": 10,
  "public.unlogged_one": 1,
};

let server: PostgresServer;
let s3: S3Server;
let url: string;
beforeAll(async () => {
  [server, s3] = await Promise.all([startPostgres(), startS3()]);
  url = await server.createDatabase("shop", schema);
  await server.psql(
    "postgres",
    "CREATE ROLE clerk LOGIN PASSWORD 'clerk-password'; GRANT ALL ON DATABASE shop TO clerk",
  );
});
afterAll(() => Promise.all([server.stop(), s3.stop()]));

const bucket = (prefix: string) =>
  storageOf("offsite", {
    kind: "s3",
    endpoint: s3.endpoint,
    bucket: s3.bucket,
    prefix,
    accessKeyId: "k",
    secretAccessKey: "secret-key",
    forcePathStyle: true,
  });

describe("a backup", () => {
  it("is the same in every storage, and restores with the rows that its manifest counts", async () => {
    using folder = temporaryFolder();
    const local = storageOf("local", { kind: "local", path: folder.path });
    const offsite = bucket("happy");
    const created = vi.spyOn(offsite, "create");
    const order = orderOf({ source: sourceOf({ kind: "postgres", url }), storages: [local, offsite] });
    const result = await runBackup(order);

    expect(result.copies).toEqual([
      { storage: "local", status: "stored" },
      { storage: "offsite", status: "stored" },
    ]);
    expect(order.observer.phases).toEqual(["preflight", "dump", "finish", "manifest"]);
    expect(order.observer.titles).toEqual([
      {
        key: "source-title-postgres",
        args: { version: result.manifest.source["server"]?.split(" ")[0], database: "shop" },
      },
    ]);
    expect(order.observer.open).toEqual([]);
    const files = ["artifact.dump.zst", "globals.sql.zst", "manifest.json"].map((file) => `${order.folder}${file}`);
    expect(filesBelow(folder.path)).toEqual(files);
    // Room for what can not be compressed at all.
    const expectedBytes = order.observer.progresses.at(-1)?.expectedRawBytes ?? 0;
    expect(expectedBytes).toBeGreaterThan(1_000_000);
    expect(created).toHaveBeenCalledWith(files[0], expect.objectContaining({ expectedBytes }));
    for (const file of files) {
      const bytes = readFileSync(join(folder.path, file));
      expect(Buffer.compare(await buffer(await offsite.read(file)), bytes)).toBe(0);
      expect(statSync(join(folder.path, file)).mode & 0o777).toBe(0o600);
    }

    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder.path, files[2] ?? ""), "utf8")));
    expect(manifest).toEqual(result.manifest);
    expect(result.manifestSha256).toBe(createHash("sha256").update(result.manifestBytes).digest("hex"));
    expect(manifest).toMatchObject({
      version: 1,
      id: "run1",
      name: "app",
      kind: "postgres",
      counts: "exact",
      compression: "zstd",
      references: [],
    });
    expect(manifest.source).toMatchObject({
      database: "shop",
      encoding: "UTF8",
      systemIdentifier: expect.stringMatching(/^\d+$/),
      databaseOid: expect.stringMatching(/^\d+$/),
      globals: "with role passwords",
    });
    const [artifact, globals] = manifest.parts;
    expect(artifact).toMatchObject({ role: "artifact", database: "shop", tables: counts });
    expect(artifact?.rawBytes).toBeGreaterThan(artifact?.bytes ?? 0);
    expect(globals).toMatchObject({ role: "globals" });
    expect(JSON.stringify(manifest)).not.toContain(server.password);

    await server.createDatabase("restored");
    const program = join(server.programs, "pg_restore");
    const target = [
      "--exit-on-error",
      "-h",
      server.host,
      "-p",
      String(server.port),
      "-U",
      server.user,
      "-d",
      "restored",
    ];
    const restore = startPipeline(
      [{ argv: ["zstd", "-dcq"] }, { argv: [program, ...target], env: { PGPASSWORD: server.password } }],
      {
        input: await offsite.read(files[0] ?? ""),
      },
    );
    restore.stdout.resume();
    await restore.done;
    for (const [table, rows] of Object.entries(counts)) {
      expect(await server.psql("restored", `SELECT count(*) FROM ONLY ${table}`)).toBe(String(rows));
    }
    const roles = await run({ argv: ["zstd", "-dcq"] }, { input: await buffer(await local.read(files[1] ?? "")) });
    expect(roles.stdout).toMatch(/ALTER ROLE clerk .*PASSWORD 'SCRAM-SHA-256/);

    for (const storage of [local, offsite]) {
      await verifyStored(storage, manifest);
      await verifyReadable(storage, manifest);
    }
    await offsite.close();
  });

  it("is encrypted for its recipients: the age program reads it", async () => {
    using folder = temporaryFolder();
    const local = storageOf("local", { kind: "local", path: folder.path });
    const identity = await generateIdentity();
    const recipients = [await recipientOf(identity), await recipientOf(await generateIdentity())];
    const order = orderOf({
      source: sourceOf({ kind: "postgres", url, counts: "off", globals: false }),
      storages: [local],
      recipients,
    });
    const { manifest } = await runBackup(order);
    expect(manifest).toMatchObject({ encryption: { format: "age", recipients }, counts: "off" });
    expect(manifest.parts).toHaveLength(1);
    expect(manifest.parts[0]).not.toHaveProperty("tables");
    const file = `${order.folder}artifact.dump.zst.age`;
    expect(filesBelow(folder.path)).toContain(file);

    const keyFile = join(folder.path, "key");
    await run({ argv: ["tee", keyFile] }, { input: `${identity}\n` });
    const restore = startPipeline([
      { argv: ["age", "--decrypt", "--identity", keyFile, join(folder.path, file)] },
      { argv: ["zstd", "-dcq"] },
      { argv: [join(server.programs, "pg_restore"), "--file=-"] },
    ]);
    expect((await buffer(restore.stdout)).toString()).toContain("numbers");
    await restore.done;

    await verifyReadable(local, manifest, { identity });
    const opened = vi.spyOn(local, "read");
    await expect(verifyReadable(local, manifest)).rejects.toMatchObject({ code: "encryption" });
    await expect(verifyReadable(local, manifest, { identity: await generateIdentity() })).rejects.toMatchObject({
      code: "encryption",
    });
    // What was opened is closed, also when the key is missing or wrong.
    for (const { value } of opened.mock.settledResults)
      await vi.waitFor(() => expect(value).toHaveProperty("closed", true));
  });

  it("counts in the dump's own snapshot, whatever is written meanwhile", async () => {
    using folder = temporaryFolder();
    const local = storageOf("local", { kind: "local", path: folder.path });
    await server.createDatabase(
      "busy",
      "CREATE TABLE t AS SELECT g FROM generate_series(1, 100000) g; CREATE TABLE later AS SELECT 1 AS a",
    );
    const order = orderOf({ source: sourceOf({ kind: "postgres", url: server.url("busy") }), storages: [local] });
    // The snapshot is taken before the first object is opened.
    order.observer.onOpened = async () => {
      await server.psql("busy", "INSERT INTO t SELECT g FROM generate_series(1, 777) g; DELETE FROM later");
    };
    const { manifest } = await runBackup(order);
    expect(manifest.parts[0]?.tables).toEqual({ "public.later": 1, "public.t": 100_000 });
    await server.createDatabase("busy_restored");
    const target = ["-h", server.host, "-p", String(server.port), "-U", server.user, "-d", "busy_restored"];
    const restore = startPipeline(
      [
        { argv: ["zstd", "-dcq"] },
        { argv: [join(server.programs, "pg_restore"), ...target], env: { PGPASSWORD: server.password } },
      ],
      { input: await local.read(`${order.folder}artifact.dump.zst`) },
    );
    restore.stdout.resume();
    await restore.done;
    expect(await server.psql("busy_restored", "SELECT count(*) FROM t")).toBe("100000");
    expect(await server.psql("busy_restored", "SELECT count(*) FROM later")).toBe("1");
  });

  it("leaves out role passwords that the user may not read, and says so", async () => {
    using folder = temporaryFolder();
    const local = storageOf("local", { kind: "local", path: folder.path });
    // Not pg_read_all_data: that lets it read the passwords too.
    await server.psql(
      "shop",
      `GRANT USAGE ON SCHEMA "Odd Schema" TO clerk; GRANT SELECT ON ALL TABLES IN SCHEMA public, "Odd Schema" TO clerk`,
    );
    const source = sourceOf({ kind: "postgres", url: server.url("shop", "clerk", "clerk-password") });
    const order = orderOf({ source, storages: [local] });
    const { manifest } = await runBackup(order);
    expect(manifest.source.globals).toMatch(/^without role passwords/);
    const roles = await run(
      { argv: ["zstd", "-dcq"] },
      { input: await buffer(await local.read(`${order.folder}globals.sql.zst`)) },
    );
    expect(roles.stdout).toContain("CREATE ROLE clerk");
    expect(roles.stdout).not.toContain("SCRAM");
  });

  it("runs its tools through a prefix, with the password in the environment only", async () => {
    using folder = temporaryFolder();
    const local = storageOf("local", { kind: "local", path: folder.path });
    const source = sourceOf({
      kind: "postgres",
      url,
      via: ["env", `PATH=${server.programs}:/usr/bin`, "PGPASSWORD_FORWARDED=1"],
    });
    const { manifest } = await runBackup(orderOf({ source, storages: [local] }));
    expect(manifest.parts[0]?.tables).toEqual(counts);
  });
});

describe("copyBackup", () => {
  it("makes up a missing copy from another one, once", async () => {
    using folder = temporaryFolder();
    const from = storageOf("local", { kind: "local", path: folder.path });
    const to = bucket("copied");
    const { manifest, manifestBytes } = await runBackup(
      orderOf({ source: sourceOf({ kind: "postgres", url }), storages: [from] }),
    );
    const order = {
      from,
      to,
      folder: orderOf({ source: sourceOf({ kind: "postgres", url }), storages: [from] }).folder,
      manifest,
      manifestBytes,
      signal: new AbortController().signal,
    };
    let copied = 0;
    await copyBackup({
      ...order,
      progress: (bytes) => {
        copied = bytes;
      },
    });
    expect(copied).toBe(manifest.parts.reduce((sum, part) => sum + part.bytes, 0));
    await verifyStored(to, manifest);
    let again = 0;
    await copyBackup({
      ...order,
      progress: (bytes) => {
        again = bytes;
      },
    });
    expect(again).toBe(0);
    await to.close();
  });

  it("refuses to spread a damaged copy", async () => {
    using folder = temporaryFolder();
    const from = storageOf("local", { kind: "local", path: folder.path });
    const to = bucket("damaged");
    const order = orderOf({ source: sourceOf({ kind: "postgres", url }), storages: [from] });
    const { manifest, manifestBytes } = await runBackup(order);
    const key = `${order.folder}artifact.dump.zst`;
    const bytes = await buffer(await from.read(key));
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await from.put(key, bytes, order.signal);
    const attempt = copyBackup({ from, to, folder: order.folder, manifest, manifestBytes, signal: order.signal });
    await expect(attempt).rejects.toMatchObject({ code: "storage-mismatch", context: { step: "copy to offsite" } });
    await expect(verifyStored(from, manifest)).rejects.toMatchObject({ code: "storage-mismatch" });
    await expect(verifyReadable(from, manifest)).rejects.toMatchObject({ name: "AppError" });
    expect(await to.head(`${order.folder}manifest.json`)).toBeUndefined();
    expect(await to.head(key)).toBeUndefined();
    await to.close();
  });
});
