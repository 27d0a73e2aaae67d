import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { analyze } from "../../src/sources/postgres/analyze.ts";
import { connect } from "../../src/sources/postgres/connection.ts";
import { ask } from "../../src/sources/postgres/session.ts";
import { sideBySide } from "../../src/sources/postgres/side-by-side.ts";
import { openSite, type Site } from "../../src/sources/postgres/site.ts";
import { quiet } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql("postgres", "CREATE ROLE lonely LOGIN PASSWORD 'only-one-at-a-time' CONNECTION LIMIT 1");
  await server.psql("postgres", "CREATE DATABASE shop OWNER lonely");
  await server.psql(
    "shop",
    `SET ROLE lonely; CREATE SCHEMA lonely; SET search_path = lonely;
     CREATE TABLE "Odd ""name" AS SELECT n % 10 AS id FROM generate_series(1, 1000) n; CREATE TABLE empty (id int);
     CREATE MATERIALIZED VIEW seen AS SELECT * FROM "Odd ""name";
     CREATE TABLE whole (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
     INSERT INTO whole SELECT 1 FROM generate_series(1, 500)`,
  );
});
afterAll(() => server?.stop());

async function siteOf(url: string, signal = new AbortController().signal): Promise<Site> {
  return await openSite(connect(url), { source: {} }, { signal, logger: quiet });
}

const analyzed = () =>
  server.psql("shop", "SELECT DISTINCT tablename, inherited FROM pg_stats WHERE schemaname = 'lonely' ORDER BY 1, 2");

describe("statistics of all tables of a database", () => {
  it("are collected over several connections, of partitioned tables and materialized views as well", async () => {
    await analyze(await siteOf(server.url("shop")), "shop");
    expect(await analyzed()).toBe('Odd "name|f\npart|f\nseen|f\nwhole|t');
    // What the server itself is asked about most has them too.
    expect(await server.psql("shop", "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'pg_class'")).toBe("t");
  });

  it("are collected over one where the user has no more", async () => {
    await server.psql("shop", "SET allow_system_table_mods = on; DELETE FROM pg_statistic");
    await analyze(await siteOf(server.url("shop", "lonely", "only-one-at-a-time")), "shop");
    expect(await analyzed()).toBe('Odd "name|f\npart|f\nseen|f\nwhole|t');
  });
});

describe("what is done side by side", () => {
  it("is done one after another where there is one connection only", async () => {
    const site = await siteOf(server.url("shop", "lonely", "only-one-at-a-time"));
    let done = 0;
    const work = async (own: Site): Promise<void> => {
      await ask(own.psql, own.url("shop"), "SELECT pg_sleep(0.2)", own.signal);
      done += 1;
    };
    await sideBySide(site, [work, work, work]);
    expect(done).toBe(3);
  });

  it("ends when one of it fails, with that failure, and leaves no session", async () => {
    const site = await siteOf(server.url("shop"));
    const sleeping = (own: Site) => ask(own.psql, own.url("shop"), "SELECT pg_sleep(600)", own.signal, 700_000);
    const failing = (own: Site) => ask(own.psql, own.url("shop"), "SELECT 1 / 0", own.signal);
    const works = [sleeping, failing].map((work) => async (own: Site) => void (await work(own)));
    await expect(sideBySide(site, works)).rejects.toMatchObject({
      code: "source-failed",
      message: expect.stringContaining("division by zero"),
    });
  });

  it("is aborted as a whole, and a server that is away is told", async () => {
    const stop = new AbortController();
    const site = await siteOf(server.url("shop"), stop.signal);
    const begun = sideBySide(site, [
      async (own) => {
        stop.abort(new AppError("internal", "enough"));
        own.signal.throwIfAborted();
      },
    ]);
    await expect(begun).rejects.toThrow("enough");
    const away = { ...(await siteOf(server.url("shop"))), url: () => "postgresql://u@127.0.0.1:1/x" };
    await expect(analyze(away, "shop")).rejects.toMatchObject({ code: "source-unreachable" });
  });
});
