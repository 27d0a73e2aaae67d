import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal } from "../../src/core/replacement.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, readingAnother } from "../support/postgres-restore.ts";
import { databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";
import type { ChildOrder } from "../support/replace-child.ts";

let server: PostgresServer;
let made: MadeBackup;
/** Of the same rows; a function and an index are others. */
let altered: MadeBackup;
let identity: ReplacementIdentity;
const folder = temporaryFolder();
const { signal } = new AbortController();

/**
 * Of a user who owns the database and may do nothing else; the extension in it is somebody else's. With so much noise the
 * archive is not read whole for its beginning.
 */
const content = `
SET ROLE keeper; CREATE SCHEMA app; CREATE TYPE app.state AS ENUM ('new', 'paid'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state app.state DEFAULT 'new', amount positive, tags hstore, text text);
INSERT INTO app.orders (amount, tags, text) SELECT g, 'a=>1', E'\\nCOMMIT;\\n' FROM generate_series(1, 20000) g;
COMMENT ON TABLE app.orders IS 'what people bought; COMMIT;'; GRANT SELECT ON app.orders TO reader; CREATE INDEX ON app.orders USING gin (tags);
CREATE VIEW app.paid AS SELECT * FROM app.orders WHERE state = 'paid'; CREATE MATERIALIZED VIEW app.totals AS SELECT state, count(*) FROM app.orders GROUP BY 1;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE app.noise AS SELECT md5(g::text) AS text FROM generate_series(1, 60000) g;
CREATE TABLE public.t AS SELECT g AS id FROM generate_series(1, 100) g; ALTER TABLE t REPLICA IDENTITY FULL;
CREATE TABLE app.events (at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE app.e1 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO app.events VALUES ('2025-05-05'); SELECT lo_from_bytea(0, 'one'), lo_from_bytea(0, 'two');
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader; GRANT USAGE ON SCHEMA public TO reader`;

beforeAll(async () => {
  server = await startPostgres({ settings: { log_statement: "none" } });
  await server.psql("postgres", "CREATE ROLE keeper LOGIN PASSWORD 'secret-of-keeper'; CREATE ROLE reader");
  await server.createDatabase("shop");
  await server.psql(
    "postgres",
    "ALTER DATABASE shop OWNER TO keeper; ALTER DATABASE shop SET work_mem = '5MB'; COMMENT ON DATABASE shop IS 'ours'",
  );
  await server.psql(
    "shop",
    `CREATE SCHEMA ext; GRANT USAGE ON SCHEMA ext TO PUBLIC; CREATE EXTENSION pg_stat_statements SCHEMA ext; CREATE EXTENSION hstore; ALTER SCHEMA public OWNER TO keeper`,
  );
  await server.psql("shop", content);
  made = await backUp({ kind: "postgres", url: asKeeper() }, folder.path);
  await server.psql(
    "shop",
    `SET ROLE keeper; CREATE OR REPLACE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
     CREATE INDEX more ON app.orders (amount)`,
  );
  altered = await backUp({ kind: "postgres", url: asKeeper() }, folder.path, { runId: "altered" });
  await server.psql(
    "shop",
    `SET ROLE keeper; CREATE OR REPLACE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
     DROP INDEX app.more`,
  );
  identity = await identityOf(server, "shop");
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const asKeeper = () => server.url("shop", "keeper", "secret-of-keeper");
const replacer = () => replacerOf(asKeeper(), { method: "single-transaction" });
const orders = () => server.psql("shop", "SELECT count(*) FROM app.orders");
/** What is there of anybody's. */
const objects = () =>
  server.psql(
    "shop",
    `SELECT string_agg(nspname || '.' || relname || ' ' || relkind::text || coalesce(relacl::text, ''), chr(10) ORDER BY nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname IN ('app', 'public', 'more'); SELECT string_agg(nspname || nspacl::text, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname IN ('app', 'public'); SELECT count(*) FROM pg_largeobject_metadata;
      SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension; SELECT string_agg(typname, ' ' ORDER BY typname) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname IN ('app', 'more') AND typtype <> 'c';
      SELECT string_agg(defaclacl::text, ' ' ORDER BY defaclacl::text) FROM pg_default_acl`,
  );
/** As the backup has it, and then otherwise everywhere. */
async function otherwise(): Promise<void> {
  await server.psql(
    "shop",
    `SET ROLE keeper; INSERT INTO app.orders (amount) VALUES (1); CREATE SCHEMA more; CREATE TABLE more.other AS SELECT 1 AS id; CREATE TYPE more.kind AS ENUM ('x'); CREATE TABLE public.later (k more.kind);
     DROP TABLE public.t; CREATE FUNCTION public.later() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT lo_from_bytea(0, 'three'); ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO reader; GRANT ALL ON SCHEMA public TO pg_monitor; REVOKE USAGE ON SCHEMA public FROM PUBLIC; CREATE AGGREGATE public.most(int) (sfunc = int4larger, stype = int)`,
  );
}

describe("a user that owns a database and may make no other", () => {
  const memory = new Memory();
  let asBackedUp: string;

  it("is offered to replace it in one transaction", async () => {
    asBackedUp = await objects();
    await otherwise();
    const refused = await replacerOf(asKeeper()).look(made.manifest, { reader: made.reader, signal });
    expect(refused).toMatchObject({
      method: "beside",
      alternative: "single-transaction",
      // The schema in which the extension lies is somebody else's too.
      obstacles: [{ key: "replace-obstacle-owners" }, { key: "replace-obstacle-createdb" }],
    });
    const look = await replacer().look(made.manifest, { reader: made.reader, signal });
    expect(look).toMatchObject({ method: "single-transaction", wayBack: "former", obstacles: [], identity, jobs: 1 });
    expect(look.alternative).toBeUndefined();
    expect(look.remarks.map(({ key }) => key)).toContain("replace-remark-single");
  });

  it("has exactly what the backup has afterwards", async () => {
    const before = await backUp({ kind: "postgres", url: asKeeper() }, folder.path, { runId: "before" });
    const report = await replacer().prepare(made.reader, memory.context(identity));
    expect(report.differencesTotal).toBe(0);
    expect(await replacer().recover(memory.context(identity))).toBe("prepared");
    const swap = await replacer().swap(memory.context(identity, { reader: made.reader }));
    expect(swap.refusedMs).toBeGreaterThan(0);
    expect(await objects()).toBe(asBackedUp);
    expect(await orders()).toBe("20000");
    expect(
      await server.psql(
        "shop",
        "SELECT count(*) FROM app.totals; SELECT lo_get(oid) FROM pg_largeobject_metadata ORDER BY 1",
      ),
    ).toBe("1\n\\x6f6e65\n\\x74776f");
    expect(memory.steps).toEqual(["prepared", "swap", "swapped"]);
    expect(await replacer().recover(memory.context(identity))).toBe("swapped");
    expect(
      await server.psql(
        "postgres",
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop'",
      ),
    ).toMatch(/^ours \(restore r1, transaction \d+\)$/);
    // And back, from the backup that was made before.
    expect(await replacer().changes(signal, made.manifest)).toMatchObject({ changed: [], written: 0 });
    await server.psql("shop", "INSERT INTO public.t VALUES (0), (1)");
    expect(await replacer().changes(signal, made.manifest)).toMatchObject({
      changed: [{ what: "public.t", written: 2 }],
    });
    const undone = await replacer().undo(memory.context(identity, { former: before.reader }), made.manifest);
    expect(undone).toMatchObject({ changes: { written: 2 } });
    expect(await orders()).toBe("20001");
    expect(
      await server.psql(
        "shop",
        "SELECT count(*) FROM more.other; SELECT to_regclass('public.t') IS NULL; SELECT count(*) FROM pg_largeobject_metadata",
      ),
    ).toBe("1\nt\n3");
    expect(await replacer().recover(memory.context(identity))).toBe("undone");
    await replacer().discard(memory.context(identity));
    expect(await server.psql("postgres", "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0")).toBe(
      "{work_mem=5MB}",
    );
    await expect(replacer().undo(memory.context(identity, { former: before.reader }))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });
});

describe("nothing of it is left", () => {
  let before: string;
  let memory: Memory;
  beforeEach(async () => {
    memory = new Memory();
    if ((await orders()) === "20000") await server.psql("shop", "INSERT INTO app.orders (amount) VALUES (1)");
    before = await objects();
    await replacer().prepare(made.reader, memory.context(identity));
  });
  const unchanged = async () => {
    expect(await objects()).toBe(before);
    expect(await orders()).toBe("20001");
    expect(await replacer().recover(memory.context(identity))).toBe("prepared");
  };

  it("when the rows are not the manifest's", async () => {
    const [part, ...rest] = made.manifest.parts;
    const tables = { ...part?.tables, "public.t": 99 };
    const manifest = { ...made.manifest, parts: [{ ...part, tables }, ...rest] } as MadeBackup["manifest"];
    await expect(
      replacer().swap(memory.context(identity, { reader: { ...made.reader, manifest } })),
    ).rejects.toMatchObject({
      code: "storage-mismatch",
      text: { key: "error-replace-differs" },
    });
    await unchanged();
  });

  it("when a statement of it fails", async () => {
    await server.psql("postgres", "ALTER ROLE reader RENAME TO somebody");
    try {
      const failing = replacer().swap(memory.context(identity, { reader: made.reader }));
      await expect(failing).rejects.toMatchObject({
        code: "source-failed",
        message: expect.stringContaining("reader"),
      });
    } finally {
      await server.psql("postgres", "ALTER ROLE somebody RENAME TO reader");
    }
    await unchanged();
  });

  it("when the archive is damaged at its end", async () => {
    const reader = {
      ...made.reader,
      open: async (part: MadeBackup["manifest"]["parts"][number]) => {
        const stream = await made.reader.open(part);
        let read = 0;
        stream.on("data", (chunk: Buffer) => {
          read += chunk.length;
          if (read >= part.bytes) stream.destroy(new Error("the last bytes are others"));
        });
        return stream;
      },
    };
    await expect(replacer().swap(memory.context(identity, { reader }))).rejects.toThrow("the last bytes are others");
    await unchanged();
  });

  it.each([
    ["first", 1],
    ["second", 2],
    ["third", 3],
  ])("when another archive is there the %s time that it is read", async (_, time) => {
    const { reader, opened } = readingAnother(made, altered, time);
    await expect(replacer().swap(memory.context(identity, { reader }))).rejects.toMatchObject({
      code: "storage-mismatch",
      text: { key: "error-storage-changed" },
    });
    expect(opened()).toBeGreaterThanOrEqual(time);
    await unchanged();
  });

  it("when a table stays locked, and it is open for everybody at once", async () => {
    const holding = server
      .psql("shop", "BEGIN; SET application_name = 'holder'; LOCK TABLE app.orders; SELECT pg_sleep(600)")
      .catch(() => "ended");
    await vi.waitFor(async () =>
      expect(
        await server.psql(
          "postgres",
          "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'",
        ),
      ).toBe("1"),
    );
    // A superuser's, which its owner may not end.
    await expect(replacer().swap(memory.context(identity, { reader: made.reader }))).rejects.toMatchObject({
      name: "AppError",
    });
    await server.psql(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'",
    );
    expect(await holding).toBe("ended");
    await unchanged();
  }, 30_000);

  it("when the server is restarted in the middle", async () => {
    let restarted: Promise<void> | undefined;
    const context = memory.context(identity, {
      reader: made.reader,
      progress: () => {
        restarted ??= server.restart();
      },
    });
    await expect(replacer().swap(context)).rejects.toMatchObject({ name: "AppError" });
    await restarted;
    await vi.waitFor(() => server.psql("postgres", "SELECT 1"));
    await unchanged();
  });

  it.each(["swap", "bytes"])("when its process is killed at %s", async (dieAt) => {
    const journal = join(folder.path, "journal.json");
    writeFileSync(journal, JSON.stringify(memory.journal));
    const order: ChildOrder = {
      operation: "swap",
      dieAt,
      url: asKeeper(),
      store: join(folder.path, "store"),
      manifest: join(folder.path, "store", manifestFolder(made.manifest), manifestFile),
      journal,
      identity,
      method: "single-transaction",
    };
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "../support/replace-child.ts"), JSON.stringify(order)],
      { stdio: "inherit" },
    );
    expect((await once(child, "exit"))[1]).toBe("SIGKILL");
    memory.journal = JSON.parse(readFileSync(journal, "utf8")) as ReplacementJournal;
    expect(memory.journal).toMatchObject({ step: "swap", facts: { xid: expect.any(String) } });
    await unchanged();
  });
});

describe("a transaction whose end nobody has heard of", () => {
  it("is found by its number", async () => {
    const memory = new Memory();
    await replacer().prepare(made.reader, memory.context(identity));
    memory.onRecord = (step) => {
      if (step === "swapped") throw new Error("killed here");
    };
    await expect(replacer().swap(memory.context(identity, { reader: made.reader }))).rejects.toThrow("killed here");
    memory.journal = { step: "swap", facts: memory.journal?.facts ?? {} };
    expect(await replacer().recover(memory.context(identity))).toBe("swapped");
    expect(await orders()).toBe("20000");
  });
});
