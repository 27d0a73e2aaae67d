import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openLive } from "../../src/sources/postgres/replace/ground.ts";
import { smokeTest } from "../../src/sources/postgres/replace/smoke.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp } from "../support/postgres-restore.ts";
import { besideOf, databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();

beforeAll(async () => {
  server = await startPostgres({
    settings: {
      wal_level: "logical",
      max_prepared_transactions: "5",
      synchronous_commit: "off",
      wal_writer_delay: "10s",
    },
  });
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/** A live database with a backup of it. */
async function made(name: string, content: string, since: string) {
  await server.createDatabase(name, `CREATE TABLE t AS SELECT 1 AS id; ${content}`);
  const backup = await backUp({ kind: "postgres", url: server.url(name) }, folder.path, { runId: name });
  await server.psql(name, `INSERT INTO t VALUES (2); ${since}`);
  return { ...backup, identity: await identityOf(server, name), memory: new Memory(), url: server.url(name) };
}

const subscribed = `CREATE SUBSCRIPTION "the S" CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION p WITH (connect = false, slot_name = NONE)`;

describe("a backup with a subscription", () => {
  it("is replaced, taken back and dropped: nothing is left", async () => {
    const { reader, identity, memory, url } = await made("subs", subscribed, `DROP SUBSCRIPTION "the S"`);
    const replacer = replacerOf(url);
    expect(await replacer.prepare(reader, memory.context(identity))).toMatchObject({ differencesTotal: 0 });
    await replacer.swap(memory.context(identity));
    await replacer.undo(memory.context(identity));
    await replacer.discard(memory.context(identity));
    expect(await databasesOf(server, "subs")).toBe("subs t");
    expect(await server.psql("subs", "SELECT count(*) FROM t")).toBe("2");
  });

  it("leaves nothing where its restore into a new database fails", async () => {
    const { reader, memory, url } = await made("fresh", subscribed, `DROP SUBSCRIPTION "the S"`);
    memory.onRecord = (step) => {
      if (step === "compare") throw new Error("it fails here");
    };
    const beside = besideOf(url, { to: "fresh_new" });
    await expect(beside.make(reader, memory.context({ database: "fresh_new" }))).rejects.toThrow("it fails here");
    expect(await databasesOf(server, "fresh")).toBe("fresh t");
  });
});

describe("what is bound to the live one after it was looked at", () => {
  it("refuses the swap before it is closed, and the way back", async () => {
    const { reader, identity, memory, url } = await made("slots", "SELECT 1", "SELECT 1");
    const replacer = replacerOf(url);
    const slot = "SELECT 1 FROM pg_create_logical_replication_slot('late', 'pgoutput')";
    const refusal = { code: "conflict", text: { key: "replace-obstacle-slots" } };
    await replacer.prepare(reader, memory.context(identity));
    await server.psql("slots", slot);
    await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject(refusal);
    expect(memory.steps).not.toContain("swap");
    await server.psql("slots", "SELECT pg_drop_replication_slot('late')");
    await replacer.swap(memory.context(identity));
    await server.psql("slots", slot);
    await expect(replacer.undo(memory.context(identity))).rejects.toMatchObject(refusal);
    await server.psql("slots", "SELECT pg_drop_replication_slot('late')");
    await replacer.undo(memory.context(identity));
    await replacer.discard(memory.context(identity));
    expect(await databasesOf(server, "slots")).toBe("slots t");
  });
});

describe("a server that crashes right after what was said to be done, and waits for no disk", () => {
  it.each(["beside", "single-transaction"] as const)("has it all the same: %s", async (method) => {
    const name = method === "beside" ? "crash" : "crash_single";
    const { reader, identity, memory, url } = await made(name, "SELECT 1", "SELECT 1");
    const replacer = replacerOf(url, { method });
    await replacer.prepare(reader, memory.context(identity));
    memory.onRecord = (step) => {
      if (step === "swapped") process.kill(server.pid(), "SIGKILL");
    };
    // What comes after it may fail: nobody is there any more.
    await replacer.swap(memory.context(identity, { reader })).catch(() => undefined);
    await server.restart();
    await vi.waitFor(() => server.psql("postgres", "SELECT 1"), 30_000);
    expect(await server.psql(name, "SELECT count(*) FROM t")).toBe("1");
    expect(await replacerOf(url, { method }).recover(memory.context(identity, { reader }))).toBe("swapped");
  });
});

describe("an application that takes all connections as soon as there are any", () => {
  it("is no reason to put the old one back", async () => {
    await server.psql("postgres", "CREATE ROLE keeper LOGIN CREATEDB PASSWORD 'secret-of-keeper'");
    await made("crowd", "SELECT 1", "ALTER DATABASE crowd OWNER TO keeper; ALTER DATABASE crowd CONNECTION LIMIT 1");
    const url = server.url("crowd", "keeper", "secret-of-keeper");
    const { signal } = new AbortController();
    const { site } = await openLive(
      postgresSchema.parse({ kind: "postgres", url }),
      { id: "r1", logger: quiet },
      signal,
    );
    const taking = spawn("psql", [url, "-c", "SELECT pg_sleep(600)"], { stdio: "ignore" });
    const sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'crowd'";
    try {
      await vi.waitFor(async () => expect(await server.psql("postgres", sessions)).toBe("1"), 30_000);
      await smokeTest(site, "crowd", 1);
      expect(await server.psql("postgres", sessions)).toBe("1");
    } finally {
      taking.kill("SIGKILL");
    }
    await server.psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'crowd'");
    await expect(smokeTest(site, "crowd", 2)).rejects.toMatchObject({ code: "source-failed" });
  });
});
