import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, richSchema } from "../support/postgres-restore.ts";
import { databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", richSchema);
  await server.psql(
    "postgres",
    `ALTER DATABASE shop OWNER TO app_owner; ALTER DATABASE shop SET work_mem = '5MB';
     ALTER DATABASE shop SET search_path = app, "Odd", public; COMMENT ON DATABASE shop IS 'what people bought';
     ALTER ROLE app_reader IN DATABASE shop SET statement_timeout = '7s'; ALTER DATABASE shop CONNECTION LIMIT 20;
     REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO app_reader WITH GRANT OPTION`,
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const properties = (name: string) =>
  server.psql(
    "postgres",
    `SELECT pg_get_userbyid(datdba), (SELECT array_agg(a ORDER BY a::text) FROM unnest(datacl) a), datconnlimit, datcollate, pg_encoding_to_char(encoding), datallowconn,
       shobj_description(oid, 'pg_database'),
       (SELECT string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
     FROM pg_database d WHERE datname = '${name}'`,
  );

describe("a database that is replaced by its backup", () => {
  const memory = new Memory();

  it("is looked at first, and nothing is changed", async () => {
    await server.psql("shop", "INSERT INTO app.orders (kind, net) SELECT 'b', 1 FROM generate_series(1, 50)");
    await server.psql("shop", "CREATE TABLE app.later AS SELECT 1 AS id; DELETE FROM app.events_2025");
    const before = await databasesOf(server, "shop");
    const look = await replacerOf(server.url("shop")).look(made.manifest, { reader: made.reader, signal });
    expect(look).toMatchObject({
      identity: await identityOf(server, "shop"),
      database: "shop",
      sameSystem: true,
      method: "beside",
      jobs: 1,
      missingRoles: [],
      missingExtensions: [],
      otherVersions: [],
      obstacles: [],
      remarks: [],
      sessions: [],
      lostTotal: 2,
      lost: [
        { what: "app.orders", backup: 1000, live: 1050, exact: true },
        { what: "app.later", live: 1, exact: true },
      ],
    });
    expect(look.freeBytes).toBeGreaterThan(look.neededBytes);
    expect(await databasesOf(server, "shop")).toBe(before);
  });

  it("is made beside, compared, swapped, and keeps everything that is the database's own", async () => {
    const identity = await identityOf(server, "shop");
    const before = await properties("shop");
    const replacer = replacerOf(server.url("shop"));
    const bytes: number[] = [];
    const report = await replacer.prepare(made.reader, memory.context(identity, { progress: (so) => bytes.push(so) }));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 1503, tables: 6, largeObjects: 2 } });
    expect(bytes.at(-1)).toBe(made.manifest.parts[0]?.bytes);
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_restore_r1 t");
    // Altered after the backup, and after the preparation: what is live at the swap counts.
    await server.psql("postgres", "ALTER DATABASE shop SET work_mem = '6MB'");
    const swap = await replacer.swap(memory.context(identity));
    expect(swap.refusedMs).toBeLessThan(1000);
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_before_r1 f");
    expect(await properties("shop")).toBe(before.replace("work_mem=5MB", "work_mem=6MB"));
    expect(await server.psql("shop", "SELECT count(*) FROM app.orders; SELECT to_regclass('app.later') IS NULL")).toBe(
      "1000\nt",
    );
    expect(memory.steps).toEqual(["make", "fill", "compare", "prepared", "swap", "swapped"]);
    expect(await replacer.recover(memory.context(identity))).toBe("swapped");
  });

  it("is told what was written since, and comes back", async () => {
    const replacer = replacerOf(server.url("shop"));
    const identity = await identityOf(server, "shop");
    expect(await replacer.changes(signal, made.manifest)).toEqual({
      changed: [],
      changedTotal: 0,
      unit: "rows",
      written: 0,
      gone: 0,
    });
    await server.psql(
      "shop",
      `INSERT INTO app.orders (kind, net) VALUES ('a', 1), ('a', 2); UPDATE app.orders SET net = 7 WHERE id <= 3;
       DELETE FROM app.orders WHERE id BETWEEN 11 AND 15; VACUUM FREEZE app.orders;
       CREATE TABLE app.newer AS SELECT 1 AS id; DROP TABLE public.empty_one; TRUNCATE public.fast`,
    );
    const changes = {
      changed: [
        { what: "app.orders", written: 5, gone: 8 },
        { what: "app.newer", written: 1 },
        { what: "public.fast", written: 0, gone: 1 },
      ],
      changedTotal: 3,
      unit: "rows",
      written: 6,
      gone: 9,
    };
    expect(await replacer.changes(signal, made.manifest)).toEqual(changes);
    expect(await replacer.undo(memory.context(identity), made.manifest)).toMatchObject({ changes });
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_undone_r1 f");
    expect(await server.psql("shop", "SELECT count(*) FROM app.orders; SELECT to_regclass('app.later') IS NULL")).toBe(
      "1050\nf",
    );
    expect(await properties("shop")).toContain("what people bought");
    expect(await replacer.recover(memory.context(identity))).toBe("undone");
    await expect(replacer.undo(memory.context(identity))).rejects.toMatchObject({ code: "conflict" });
    await replacer.discard(memory.context(identity));
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await replacer.recover(memory.context(identity))).toBe("nothing");
    await replacer.discard(memory.context(identity));
  });
});

describe("two replacements, one after another", () => {
  it("are undone and discarded each by itself", async () => {
    const first = { memory: new Memory(), replacer: replacerOf(server.url("shop"), { id: "one" }) };
    const second = { memory: new Memory(), replacer: replacerOf(server.url("shop"), { id: "two" }) };
    for (const { memory, replacer } of [first, second]) {
      const identity = await identityOf(server, "shop");
      await replacer.prepare(made.reader, memory.context(identity));
      await replacer.swap(memory.context(identity));
    }
    const identity = await identityOf(server, "shop");
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_before_one f, shop_before_two f");
    // What the first has swapped in is not live any more.
    await expect(first.replacer.undo(first.memory.context(identity))).rejects.toMatchObject({ code: "conflict" });
    expect(await first.replacer.recover(first.memory.context(identity))).toBe("swapped");
    await first.replacer.discard(first.memory.context(identity));
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_before_two f");
    await second.replacer.undo(second.memory.context(identity));
    await second.replacer.discard(second.memory.context(identity));
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });
});
