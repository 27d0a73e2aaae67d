import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";
import { databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";

let server: PostgresServer;
let other: PostgresServer;
let made: MadeBackup;
const folder = temporaryFolder();
const { signal } = new AbortController();

beforeAll(async () => {
  [server, other] = await Promise.all([
    startPostgres({ settings: { wal_level: "logical", max_prepared_transactions: "5" } }),
    startPostgres(),
  ]);
  await server.psql(
    "postgres",
    "CREATE ROLE keeper LOGIN CREATEDB PASSWORD 'secret-of-keeper'; CREATE ROLE reader; GRANT reader TO keeper",
  );
  await server.createDatabase("shop");
  await server.psql("postgres", "ALTER DATABASE shop OWNER TO keeper");
  await server.psql(
    "shop",
    `GRANT ALL ON SCHEMA public TO keeper; SET ROLE keeper; CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 100) g;
     GRANT SELECT ON t TO reader`,
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

const keys = async (url = server.url("shop")) =>
  (await replacerOf(url).look(made.manifest, { reader: made.reader, signal })).obstacles.map(({ key }) => key);
const asKeeper = () => server.url("shop", "keeper", "secret-of-keeper");

describe("a look before a replacement", () => {
  it("estimates what somebody has locked, and does not wait for it", async () => {
    await server.psql("shop", "INSERT INTO t SELECT g FROM generate_series(1, 50) g; ANALYZE t");
    const locking = server
      .psql("shop", "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)")
      .catch(() => "");
    const held = "SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass AND granted";
    await vi.waitFor(async () => expect(await server.psql("shop", held)).not.toBe(""), 30_000);
    try {
      const look = await replacerOf(server.url("shop")).look(made.manifest, { reader: made.reader, signal });
      expect(look).toMatchObject({
        obstacles: [],
        lost: [{ what: "public.t", backup: 100, live: expect.any(Number), exact: false }],
      });
    } finally {
      await server.psql("shop", `SELECT pg_terminate_backend(pid) FROM (${held}) AS holders`);
      await locking;
      await server.psql("shop", "DELETE FROM t WHERE ctid NOT IN (SELECT ctid FROM t LIMIT 100)");
    }
  });

  it("refuses what is bound to the database", async () => {
    expect(await keys()).toEqual([]);
    await server.psql("shop", "SELECT pg_create_logical_replication_slot('a_slot', 'test_decoding')");
    await server.psql("shop", "CREATE PUBLICATION p FOR ALL TABLES");
    await server.psql(
      "shop",
      `CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
    );
    await server.psql("shop", "BEGIN; INSERT INTO t VALUES (0); PREPARE TRANSACTION 'pending'");
    await server.psql("postgres", "ALTER DATABASE shop IS_TEMPLATE true");
    expect(await keys()).toEqual([
      "replace-obstacle-template",
      "replace-obstacle-slots",
      "replace-obstacle-subscriptions",
      "replace-obstacle-prepared",
    ]);
    const identity = await identityOf(server, "shop");
    await expect(
      replacerOf(server.url("shop")).prepare(made.reader, new Memory().context(identity)),
    ).rejects.toMatchObject({ code: "conflict", text: { key: "replace-obstacle-template" } });
    await server.psql("shop", "ROLLBACK PREPARED 'pending'");
    await server.psql("shop", "DROP SUBSCRIPTION s");
    await server.psql("shop", "DROP PUBLICATION p; SELECT pg_drop_replication_slot('a_slot')");
    await server.psql("postgres", "ALTER DATABASE shop IS_TEMPLATE false");
    expect(await keys()).toEqual([]);
  });

  it("refuses sessions that the user may not end, and a user that may not make databases or does not own this one", async () => {
    const session = server.psql("shop", "SET application_name = 'nightly'; SELECT pg_sleep(600)").catch(() => "ended");
    const look = () => replacerOf(asKeeper()).look(made.manifest, { reader: made.reader, signal });
    const nightly = { user: "postgres", application: "nightly", count: 1, endable: false };
    await vi.waitFor(async () => expect((await look()).sessions).toEqual([nightly]), 30_000);
    expect((await look()).obstacles).toEqual([
      { key: "replace-obstacle-sessions", args: { database: "shop", list: "postgres" } },
    ]);
    await server.psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'");
    await session;
    await server.psql("postgres", "ALTER ROLE keeper NOCREATEDB");
    expect(await look()).toMatchObject({
      method: "beside",
      alternative: "single-transaction",
      wayBack: "kept",
      obstacles: [{ key: "replace-obstacle-createdb", args: { database: "shop", user: "keeper" } }],
    });
    await server.psql("postgres", "ALTER ROLE keeper CREATEDB; ALTER DATABASE shop OWNER TO postgres");
    expect((await look()).obstacles).toEqual([
      { key: "replace-obstacle-owner", args: { database: "shop", user: "keeper", owner: "postgres" } },
    ]);
    await server.psql("postgres", "ALTER DATABASE shop OWNER TO keeper");
  });

  it("names roles and extensions that are missing, and another server", async () => {
    await other.createDatabase("shop", "CREATE TABLE more AS SELECT g FROM generate_series(1, 3) g");
    const { manifest, reader } = made;
    const replacer = replacerOf(other.url("shop"));
    const source = { ...manifest.source, extensions: "ghost 1.0, pg_trgm 1.1" };
    const look = await replacer.look({ ...manifest, source }, { reader, signal });
    expect(look).toMatchObject({
      sameSystem: false,
      missingRoles: ["keeper", "reader"],
      missingExtensions: ["ghost"],
      otherVersions: ["pg_trgm 1.1 -> 1.6"],
      lost: [{ what: "public.more", live: 3 }],
    });
    expect(look.obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-extensions", "replace-obstacle-roles"]);
    const identity = await identityOf(other, "shop");
    await expect(replacer.prepare(reader, new Memory().context(identity))).rejects.toMatchObject({ code: "conflict" });
    expect(await databasesOf(other, "shop")).toBe("shop t");
  });

  it("refuses names that the server would cut, and another database than the backup's", async () => {
    const long = "x".repeat(55);
    await server.createDatabase(long);
    expect(await keys(server.url(long))).toEqual(["replace-obstacle-long", "replace-obstacle-other"]);
    await expect(keys(server.url("nowhere"))).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a user that is no superuser, but owns the database and may make others", () => {
  it("replaces it and takes it back", async () => {
    await server.psql("shop", "INSERT INTO t VALUES (0)");
    const memory = new Memory();
    const identity = await identityOf(server, "shop");
    const replacer = replacerOf(asKeeper());
    expect(await replacer.prepare(made.reader, memory.context(identity))).toMatchObject({ differencesTotal: 0 });
    const session = server
      .psql("shop", "SET SESSION AUTHORIZATION keeper; SELECT pg_sleep(600)")
      .catch(() => "ended by the swap");
    // That one is a superuser's, whatever it calls itself: it is not ended, and the live one is open again.
    await vi.waitFor(
      async () => expect((await replacer.look(made.manifest, { signal })).sessions).toHaveLength(1),
      30_000,
    );
    await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject({ code: "conflict" });
    expect(await server.psql("shop", "SELECT count(*) FROM t")).toBe("101");
    await server.psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'");
    expect(await session).toBe("ended by the swap");
    await replacer.swap(memory.context(identity));
    expect(await server.psql("shop", "SELECT count(*) FROM t")).toBe("100");
    await replacer.undo(memory.context(identity), made.manifest);
    expect(await server.psql("shop", "SELECT count(*) FROM t")).toBe("101");
    await replacer.discard(memory.context(identity));
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });
});
