import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ReplacementLook } from "../../src/core/replacement.ts";
import { processIdentity } from "../../src/lib/process-identity.ts";
import { analyze } from "../../src/sources/postgres/analyze.ts";
import { readBeginning } from "../../src/sources/postgres/archive.ts";
import { compareRows, Differences } from "../../src/sources/postgres/compare.ts";
import { conversing } from "../../src/sources/postgres/conversing.ts";
import type { Filled } from "../../src/sources/postgres/counts.ts";
import { createBeside } from "../../src/sources/postgres/replace/besides.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { askSite, type Site } from "../../src/sources/postgres/site.ts";
import { sweepUnpacked } from "../../src/sources/postgres/unpacked.ts";
import type { RestoreReport } from "../../src/sources/types.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { fillBeside, type Gate, openSiteFor, partOf, shutGate as shutGateOf } from "../support/postgres-filling.ts";
import { backUp, type MadeBackup, richSchema } from "../support/postgres-restore.ts";
import { databasesOf, Memory } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();
const { signal } = new AbortController();
/** Where a restore keeps the beginning of an archive. */
const scratch = temporaryFolder();

const gate = `CREATE FUNCTION gate(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock_shared(7); RETURN true; END'`;

/**
 * `f` looks into a table whose rows come later, which is forbidden and is done. The rows of `y` wait for whoever has shut
 * the gate. Two tables that pg_restore calls the same.
 */
const shop = `
CREATE TABLE a (id int PRIMARY KEY, code text, n int); INSERT INTO a SELECT n, 'c' || n % 7, n % 10 FROM generate_series(1, 5000) n;
CREATE TABLE z (code text PRIMARY KEY, rank int); INSERT INTO z SELECT 'c' || n, n FROM generate_series(0, 6) n;
CREATE FUNCTION f(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT rank FROM public.z WHERE code = $1';
CREATE INDEX a_rank ON a (f(code)); CREATE INDEX a_n ON a (n); CREATE STATISTICS a_both ON code, n FROM a;
COMMENT ON CONSTRAINT a_pkey ON a IS 'first of all'; COMMENT ON INDEX a_n IS 'numbers';
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); INSERT INTO b SELECT n, n FROM generate_series(1, 3000) n;
ALTER TABLE b CLUSTER ON b_pkey; ALTER TABLE b REPLICA IDENTITY USING INDEX b_pkey;
${gate};
CREATE TABLE y (id int CHECK (gate(id))); INSERT INTO y VALUES (1);
CREATE SCHEMA "c.a"; CREATE SCHEMA c; CREATE TABLE "c.a".b (id int UNIQUE); CREATE TABLE c."a.b" (id int UNIQUE);
INSERT INTO "c.a".b VALUES (1), (2); INSERT INTO c."a.b" VALUES (3);
`;

/** Whose owner may not read it, so that the reference cannot be checked once the rights are given. */
const unreadable = `
CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2); CREATE TABLE q (p int REFERENCES p); INSERT INTO q VALUES (2);
CREATE TABLE z (id int); REVOKE ALL ON p, q FROM maker;
`;

let made: MadeBackup;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql("postgres", "CREATE ROLE maker LOGIN CREATEDB PASSWORD 'makes-it-all' CONNECTION LIMIT 20");
  await server.psql("postgres", "CREATE DATABASE shop OWNER maker");
  await server.psql("shop", "ALTER SCHEMA public OWNER TO maker");
  await server.psql("shop", `SET ROLE maker; ${shop}`);
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
  scratch[Symbol.dispose]();
});

async function make(
  to: string,
  url: string,
  { cores = 2, backup = made }: { readonly cores?: number; readonly backup?: MadeBackup } = {},
): Promise<{ readonly look: ReplacementLook; readonly report: RestoreReport }> {
  const machine = { cores: () => cores, folder: scratch.path };
  const beside = createBeside(
    postgresSchema.parse({ kind: "postgres", url }),
    { id: "r1", to, logger: quiet },
    machine,
  );
  const look = await beside.look(backup.manifest, { reader: backup.reader, signal });
  return { look, report: await beside.make(backup.reader, new Memory().context(look.identity)) };
}

const siteOf = (backup: MadeBackup, to = server.url("postgres")): Promise<Site> => openSiteFor(backup, to);

const fill = (backup: MadeBackup, database: string, to = server.url("postgres")): Promise<Filled> =>
  fillBeside(backup, database, to);

/** The tables with statistics. */
const knownOf = (database: string): Promise<string> =>
  server.psql(database, "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public' ORDER BY 1");

const shutGate = (database: string): Promise<Gate> => shutGateOf(server, database);

describe("a database that is filled in stages", () => {
  it("has the indexes, the count and the statistics of a table while the next ones are filled", async () => {
    await server.psql("postgres", "CREATE DATABASE filled");
    const shut = await shutGate("filled");
    const filling = fill(made, "filled");
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await knownOf("filled")).toBe("b"), 30_000);
    await shut.open();
    const { counted, analyzed } = await filling;
    // The last one's are made after all rows; of two that pg_restore calls the same nothing is known.
    const rows = { "public.a": 5000, "public.b": 3000, "public.y": 1 };
    expect(Object.fromEntries(counted)).toEqual(rows);
    // One more index of `a` comes later, and with it more to be known.
    expect(analyzed).toEqual(new Set(["public.b", "public.y"]));
    expect(await knownOf("filled")).toBe("b\ny");
  });

  it("is what was backed up: what needs more than its table comes after all rows", async () => {
    const { report } = await make("copy", server.url("postgres", "maker", "makes-it-all"));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 8011, tables: 6 } });
    const found = await server.psql("copy", "SET enable_seqscan = off; SELECT count(*) FROM a WHERE f(code) = 3");
    expect(Number(found)).toBe(Number(await server.psql("shop", "SELECT count(*) FROM a WHERE code = 'c3'")));
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it("is given its rights last", async () => {
    await server.psql("postgres", "CREATE DATABASE unreadable OWNER maker");
    await server.psql("unreadable", `ALTER SCHEMA public OWNER TO maker; SET ROLE maker; ${unreadable}`);
    const source = { kind: "postgres", url: server.url("unreadable") };
    const backup = await backUp(source, folder.path, { runId: "unreadable" });
    await server.psql("postgres", "CREATE DATABASE readable OWNER maker");
    await server.psql("readable", "ALTER SCHEMA public OWNER TO maker");
    await fill(backup, "readable", server.url("postgres", "maker", "makes-it-all"));
    const question =
      "SELECT convalidated FROM pg_constraint WHERE contype = 'f'; SELECT relacl FROM pg_class WHERE relname = 'p'";
    expect(await server.psql("readable", question)).toBe(await server.psql("unreadable", question));
    expect(await server.psql("readable", question)).toMatch(/^t\n\{/);
  });

  it("is it with everything that a schema can have", async () => {
    await server.createDatabase("rich", richSchema);
    const rich = await backUp({ kind: "postgres", url: server.url("rich") }, folder.path, { runId: "rich" });
    await server.psql("postgres", "CREATE DATABASE richly");
    await fill(rich, "richly");
    const everything = (name: string) =>
      server.psql(
        name,
        "SELECT string_agg(relname || ' ' || relkind::text || ' ' || coalesce(relacl::text, ''), ', ' ORDER BY relname) FROM pg_class WHERE relnamespace IN ('app'::regnamespace, 'public'::regnamespace)",
      );
    expect(await everything("richly")).toBe(await everything("rich"));
  });

  it("has the rights and comments of large objects", async () => {
    const objects = `SELECT lo_from_bytea(4711, 'x'); GRANT SELECT ON LARGE OBJECT 4711 TO maker; COMMENT ON LARGE OBJECT 4711 IS 'kept'`;
    await server.createDatabase("objects", `CREATE TABLE t (id int PRIMARY KEY); ${objects}`);
    const backup = await backUp({ kind: "postgres", url: server.url("objects") }, folder.path, { runId: "objects" });
    await server.psql("postgres", "CREATE DATABASE granted");
    await fill(backup, "granted");
    const question =
      "SELECT oid, lomacl, obj_description(oid, 'pg_largeobject') FROM pg_largeobject_metadata; SELECT lo_get(4711)";
    expect(await server.psql("granted", question)).toBe(await server.psql("objects", question));
    expect(await server.psql("granted", question)).toContain("maker=r/");
  });

  it("has the statistics of a table over its children, whose rows come after its own", async () => {
    const family = `${gate}; CREATE TABLE a (n int); INSERT INTO a VALUES (1), (2); CREATE TABLE b (n int); INSERT INTO b VALUES (1);
CREATE TABLE y (CHECK (gate(n))) INHERITS (a); INSERT INTO y SELECT generate_series(1, 1000)`;
    await server.createDatabase("family", family);
    const backup = await backUp({ kind: "postgres", url: server.url("family") }, folder.path, { runId: "family" });
    await server.psql("postgres", "CREATE DATABASE kin");
    const shut = await shutGate("kin");
    const filling = fill(backup, "kin");
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await knownOf("kin")).toContain("b"), 30_000);
    await shut.open();
    await analyze(await siteOf(backup), "kin", await filling);
    const known =
      "SELECT most_common_vals, histogram_bounds::text::int[] @> '{1000}' FROM pg_stats WHERE tablename = 'a' AND inherited";
    expect(await server.psql("kin", known)).toBe("{1,2}|t");
  });

  it("is counted again where rows came after a table was counted", async () => {
    const writes = `CREATE TABLE log (id int); ${gate}; CREATE TABLE y (id int CHECK (gate(id))); INSERT INTO y VALUES (1);
CREATE FUNCTION note(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log VALUES ($1); RETURN true; END';
CREATE TABLE z (id int CHECK (note(id))); INSERT INTO z VALUES (5)`;
    await server.createDatabase("noted", writes);
    const backup = await backUp({ kind: "postgres", url: server.url("noted") }, folder.path, { runId: "noted" });
    await server.psql("postgres", "CREATE DATABASE renoted");
    const shut = await shutGate("renoted");
    const filling = fill(backup, "renoted");
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await knownOf("renoted")).toBe("log"), 30_000);
    await shut.open();
    const filled = await filling;
    expect(filled.counted.get("public.log")).toBe(1);
    const differences = new Differences();
    await compareRows(await siteOf(backup), "renoted", partOf(backup), differences, filled);
    expect(differences.named).toEqual([{ what: "public.log", expected: "1 rows", found: "2 rows" }]);
  });

  it("is it with a table that is called like what pg_restore says of another one", async () => {
    const liar = 'x""\npg_restore: processing data for table ""public.z';
    const tables = `${gate}; CREATE TABLE "${liar}" (id int); CREATE TABLE y (id int CHECK (gate(id))); INSERT INTO y VALUES (1);
CREATE TABLE z (id int PRIMARY KEY); INSERT INTO z SELECT generate_series(1, 50); CREATE TABLE zz (id int)`;
    await server.createDatabase("liar", tables);
    const backup = await backUp({ kind: "postgres", url: server.url("liar") }, folder.path, { runId: "liar" });
    await server.psql("postgres", "CREATE DATABASE told");
    const shut = await shutGate("told");
    const filling = fill(backup, "told");
    filling.catch(() => undefined);
    const made = "SELECT count(*) FROM pg_stat_all_tables WHERE relname = 'z' AND analyze_count > 0";
    await vi.waitFor(async () => expect(await server.psql("told", made)).toBe("1"), 30_000);
    await shut.open();
    expect(Object.fromEntries((await filling).counted)).toMatchObject({ "public.z": 50 });
    expect(await server.psql("told", "SELECT reltuples FROM pg_class WHERE relname = 'z'")).toBe("50");
  });

  it("is it with one connection fewer than it would like, on one core, and elsewhere", async () => {
    // One that holds the right to it, one that fills it.
    await server.psql("postgres", "ALTER ROLE maker CONNECTION LIMIT 2");
    const { report } = await make("lonely", server.url("postgres", "maker", "makes-it-all"));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 8011 } });
    await server.psql("postgres", "ALTER ROLE maker CONNECTION LIMIT 20");
    expect((await make("single", server.url("postgres"), { cores: 1 })).report).toMatchObject({ differencesTotal: 0 });
    expect(readdirSync(scratch.path)).toEqual([]);
  });
});

describe("references to partitioned tables", () => {
  const halves = (
    name: string,
  ) => `CREATE TABLE ${name} (id int PRIMARY KEY, e int REFERENCES e) PARTITION BY HASH (id);
CREATE TABLE ${name}0 PARTITION OF ${name} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE ${name}1 PARTITION OF ${name} FOR VALUES WITH (MODULUS 2, REMAINDER 1)`;
  const tables = `CREATE TABLE e (id int PRIMARY KEY); INSERT INTO e VALUES (1); ${halves("a")}; ${halves("b")};
INSERT INTO a SELECT n, 1 FROM generate_series(1, 100000) n; INSERT INTO b SELECT n, 1 FROM generate_series(1, 100) n;
CREATE TABLE d (o int); ALTER TABLE d ADD FOREIGN KEY (o) REFERENCES a; ALTER TABLE d ADD FOREIGN KEY (o) REFERENCES b`;

  it("do not take each other's names, on however many cores, and it is said before that one connection makes them", async () => {
    await server.createDatabase("halves", tables);
    const backup = await backUp({ kind: "postgres", url: server.url("halves") }, folder.path, { runId: "halves" });
    for (const cores of [2, 4]) {
      const { look, report } = await make(`whole${cores}`, server.url("postgres"), { backup, cores });
      expect(look).toMatchObject({ jobs: 1 });
      expect(report).toMatchObject({ differencesTotal: 0 });
    }
    // What is not read is not known.
    const machine = { cores: () => 4, folder: scratch.path };
    const config = postgresSchema.parse({ kind: "postgres", url: server.url("halves") });
    const beside = createBeside(config, { id: "r1", to: "looked", logger: quiet }, machine);
    expect(await beside.look(backup.manifest, { signal })).toMatchObject({ jobs: 4 });
  });
});

describe("a check that looks into another table", () => {
  it("finds its rows there, by one connection on however many cores", async () => {
    const looking = `CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 1000);
CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.a WHERE id = $1)';
CREATE TABLE b (id int CHECK (known(id))); INSERT INTO b SELECT * FROM a`;
    await server.createDatabase("looking", looking);
    const backup = await backUp({ kind: "postgres", url: server.url("looking") }, folder.path, { runId: "looking" });
    for (const cores of [2, 4]) {
      const { look, report } = await make(`looking${cores}`, server.url("postgres"), { backup, cores });
      expect(look).toMatchObject({ jobs: 1 });
      expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 2000 } });
    }
  });
});

describe("a session between whose questions an archive is read", () => {
  it("is not ended by the limits that a role has for its own", async () => {
    await server.psql("postgres", "ALTER ROLE maker SET idle_session_timeout = '3s'");
    const ground = await siteOf(made, server.url("postgres", "maker", "makes-it-all"));
    await using site = conversing(ground);
    expect(await askSite(site, "SHOW idle_session_timeout")).toEqual(["0"]);
    await server.psql("postgres", "ALTER ROLE maker RESET idle_session_timeout");
  });
});

describe("connections that others take while rows come", () => {
  it("are done without", async () => {
    await server.psql("postgres", "CREATE DATABASE taken OWNER maker");
    const tables = `${gate}; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a, other int REFERENCES a);
CREATE TABLE y (id int PRIMARY KEY, CHECK (gate(id))); INSERT INTO y VALUES (1)`;
    await server.psql("taken", `ALTER SCHEMA public OWNER TO maker; SET ROLE maker; ${tables}`);
    const backup = await backUp({ kind: "postgres", url: server.url("taken") }, folder.path, { runId: "taken" });
    await server.psql("postgres", "CREATE DATABASE scarce OWNER maker");
    await server.psql("scarce", "ALTER SCHEMA public OWNER TO maker");
    const shut = await shutGate("scarce");
    const filling = fill(backup, "scarce", server.url("postgres", "maker", "makes-it-all"));
    filling.catch(() => undefined);
    const made = "SELECT count(*) FROM pg_stat_all_tables WHERE relname IN ('a', 'b') AND analyze_count > 0";
    await vi.waitFor(async () => expect(await server.psql("scarce", made)).toBe("2"), 30_000);
    await server.psql("postgres", "ALTER ROLE maker CONNECTION LIMIT 1");
    await shut.open();
    try {
      await filling;
    } finally {
      await server.psql("postgres", "ALTER ROLE maker CONNECTION LIMIT 20");
    }
    expect(
      await server.psql(
        "scarce",
        "SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace",
      ),
    ).toBe("4");
  });
});

describe("the beginning of an archive", () => {
  const readWith = (keep: string): Promise<string> => {
    const archive = { reader: made.reader, part: partOf(made), signal };
    return readBeginning(archive, { argv: ["head", "-c", "70001"] }, { encoding: "latin1", keep });
  };

  it("is kept as far as it was read", async () => {
    const keep = join(scratch.path, "beginning");
    const text = await readWith(keep);
    expect(text).toHaveLength(70_001);
    expect(readFileSync(keep, "latin1").startsWith(text)).toBe(true);
    rmSync(keep);
  });

  it("is waited for no longer where the backup turns out damaged before it is read", async () => {
    const damaged = new Error("damaged");
    const open = async (): Promise<Readable> => {
      const stream = new PassThrough();
      process.nextTick(() => stream.destroy(damaged));
      return stream;
    };
    const archive = { reader: { ...made.reader, open }, part: partOf(made), signal };
    const keep = join(scratch.path, "damaged");
    await expect(readBeginning(archive, { argv: ["cat"] }, { keep })).rejects.toThrow("damaged");
    rmSync(keep);
  });

  it("is not taken for kept where the disk is full", async () => {
    await expect(readWith("/dev/full")).rejects.toMatchObject({ code: "storage-full" });
  });
});

describe("what cannot be made of rows that are there", () => {
  it("is told at once, and nothing is left", async () => {
    // As a broken index lets it happen: the same number twice.
    await server.psql(
      "shop",
      `UPDATE pg_index SET indisready = false WHERE indexrelid = 'a_pkey'::regclass;
       INSERT INTO a VALUES (5, 'c5', 5);
       UPDATE pg_index SET indisready = true WHERE indexrelid = 'a_pkey'::regclass`,
    );
    const backup = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path, { runId: "broken" });
    await expect(make("broken", server.url("postgres"), { backup })).rejects.toMatchObject({
      code: "source-failed",
      message: expect.stringContaining('could not create unique index "a_pkey"'),
    });
    expect(await databasesOf(server, "broken")).toBe("");
    expect(readdirSync(scratch.path)).toEqual([]);
  });
});

describe("what killed restores have left", () => {
  it("is removed by however many look for it at a time, and by nobody while its process lives", async () => {
    using place = temporaryFolder();
    const [boot, namespace] = processIdentity().split("/");
    const leave = (name: string, owner: string): void => {
      mkdirSync(join(place.path, name));
      writeFileSync(join(place.path, name, "owner"), owner);
      for (let file = 0; file < 20; file++) writeFileSync(join(place.path, name, `archive-${file}`), "rows");
    };
    for (let nth = 0; nth < 10; nth++) leave(`vakhta-restore-${nth}`, `${boot}/${namespace}/${2 ** 22 + nth}/1`);
    leave("vakhta-restore-own", processIdentity());
    await Promise.all(Array.from({ length: 4 }, () => sweepUnpacked(place.path)));
    expect(readdirSync(place.path)).toEqual(["vakhta-restore-own"]);
  });
});
