import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestFolder } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, restoreTo, testRestoreIn } from "../support/postgres-restore.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();
let plain: MadeBackup;
let sealed: MadeBackup;
let identity: string;
let stranger: string;

beforeAll(async () => {
  [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  await server.createDatabase(
    "shop",
    "CREATE TABLE big AS SELECT g, gen_random_uuid() AS id FROM generate_series(1, 60000) g; CREATE ROLE unusual",
  );
  [identity, stranger] = await Promise.all([generateIdentity(), generateIdentity()]);
  plain = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path, { runId: "plain" });
  sealed = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path, {
    runId: "sealed",
    recipients: [await recipientOf(identity)],
    identity,
  });
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

const fileOf = ({ manifest }: MadeBackup, index: number): string =>
  join(folder.path, "store", manifestFolder(manifest), manifest.parts[index]?.file ?? "");

/** Does something to a stored part for as long as `action` runs. */
async function damaged(path: string, damage: (path: string) => void, action: () => Promise<void>): Promise<void> {
  copyFileSync(path, `${path}.whole`);
  damage(path);
  try {
    await action();
  } finally {
    copyFileSync(`${path}.whole`, path);
  }
}

function flipBit(at: number): (path: string) => void {
  return (path) => {
    const bytes = readFileSync(path);
    const index = Math.floor(bytes.length * at);
    bytes[Math.min(index, bytes.length - 1)] = (bytes[Math.min(index, bytes.length - 1)] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
}

/** Neither a database nor a role of what was refused is on the server. */
async function expectNothing(): Promise<void> {
  const query =
    "SELECT datname FROM pg_database WHERE datname ~ '^(shop|vakhta)' UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'unusual'";
  expect(await other.psql("postgres", query)).toBe("");
}

const mismatch = { name: "AppError", code: "storage-mismatch" };

describe("what is damaged is refused, and nothing of it stays", () => {
  it.each([0, 0.001, 0.3, 0.7, 0.9999, 1])("a bit of the stored artifact, at %d of its length", async (at) => {
    await damaged(fileOf(plain, 0), flipBit(at), async () => {
      // Depending on where it is, the compressor sees it first.
      await expect(restoreTo(plain.reader, other.url("shop"), { owners: false })).rejects.toMatchObject({
        name: "AppError",
      });
      await expectNothing();
      await expect(testRestoreIn(plain.reader, folder.path, { server: other.url() })).rejects.toMatchObject({
        name: "AppError",
      });
      await expectNothing();
    });
  });

  it("leaves an empty database empty", async () => {
    const url = await other.createDatabase("given");
    for (const at of [0.5, 1]) {
      await damaged(fileOf(plain, 0), flipBit(at), async () => {
        await expect(restoreTo(plain.reader, url, { owners: false })).rejects.toMatchObject({ name: "AppError" });
        expect(await other.psql("given", "SELECT count(*) FROM pg_class WHERE relname = 'big'")).toBe("0");
      });
    }
    await other.psql("postgres", "DROP DATABASE given");
  });

  it("a byte too many, which no tool would notice", async () => {
    // An empty frame: zstd reads over it.
    const frame = Buffer.from("28b52ffd240001000099e9d851", "hex");
    const append = (path: string) => writeFileSync(path, Buffer.concat([readFileSync(path), frame]));
    await damaged(fileOf(plain, 0), append, async () => {
      await expect(restoreTo(plain.reader, other.url("shop"), { owners: false })).rejects.toMatchObject(mismatch);
      await expectNothing();
    });
  });

  it.each([0.2, 0.6, 0.999])("an artifact that was cut at %d", async (at) => {
    const cut = (path: string) => truncateSync(path, Math.floor(readFileSync(path).length * at));
    await damaged(fileOf(plain, 0), cut, async () => {
      await expect(restoreTo(plain.reader, other.url("shop"), { owners: false })).rejects.toMatchObject({
        name: "AppError",
      });
      await expectNothing();
    });
  });

  it("a bit of the globals: not one role is made", async () => {
    await damaged(fileOf(plain, 1), flipBit(0.5), async () => {
      await expect(restoreTo(plain.reader, other.url("shop"))).rejects.toMatchObject({ name: "AppError" });
      await expectNothing();
    });
  });

  it.each([0.001, 0.5, 1])("a bit of an encrypted artifact, at %d", async (at) => {
    await damaged(fileOf(sealed, 0), flipBit(at), async () => {
      await expect(restoreTo(sealed.reader, other.url("shop"), { owners: false })).rejects.toMatchObject({
        name: "AppError",
      });
      await expectNothing();
    });
  });

  it("an archive that is none inside, although every sum around it is right", async () => {
    const altered = zstdCompressSync(Buffer.from("PGDMP of something else"));
    const reader: BackupReader = {
      ...plain.reader,
      manifest: plain.manifest,
      open: async () => Readable.from([altered]),
    };
    await expect(restoreTo(reader, other.url("shop"), { owners: false })).rejects.toMatchObject({
      code: "source-failed",
    });
    await expectNothing();
  });

  it("and a manifest that counted something else is a difference", async () => {
    const parts = plain.manifest.parts.map((part) =>
      part.tables ? { ...part, tables: { "public.big": 60001 } } : part,
    );
    const reader: BackupReader = { ...plain.reader, manifest: { ...plain.manifest, parts } };
    expect(await testRestoreIn(reader, folder.path, { server: other.url() })).toMatchObject({
      differences: [{ what: "public.big", expected: "60001 rows", found: "60000 rows" }],
      differencesTotal: 1,
    });
    await expectNothing();
  });

  it("another key than the one it is encrypted for", async () => {
    const reader = openBackup(sealed.storage, sealed.manifest, { identity: stranger });
    await expect(restoreTo(reader, other.url("shop"))).rejects.toMatchObject({ code: "encryption" });
    await expectNothing();
  });

  it("and the whole one is restored after all that", async () => {
    const reader = openBackup(sealed.storage, sealed.manifest, { identity });
    expect(await restoreTo(reader, other.url("shop"))).toMatchObject({ differences: [], compared: { rows: 60000 } });
  });
});
