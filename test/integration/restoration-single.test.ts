import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { restoreWorld } from "../support/restoration.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const folder = temporaryFolder();
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql("postgres", "CREATE ROLE keeper LOGIN PASSWORD 'secret-of-keeper'");
  await server.createDatabase("shop", "ALTER SCHEMA public OWNER TO keeper; ALTER DATABASE shop OWNER TO keeper");
  await server.psql("shop", "SET ROLE keeper; CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 500) g");
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

it("a restore in one transaction tells what it has compared, and is no measure of others", async () => {
  const clock = new ManualClock("2026-03-01T12:00:00Z");
  const url = server.url("shop", "keeper", "secret-of-keeper");
  const { deps, ...shop } = restoreWorld(fixture, clock, {
    path: folder.path,
    source: { kind: "postgres", url, counts: "exact" },
  });
  const backup = await shop.backUp();
  await server.psql("shop", "DELETE FROM t WHERE id > 7");
  const refused = await shop.looked({ backup: backup.id });
  expect(refused).toMatchObject({ status: "refused", preflight: { alternative: "single-transaction" } });
  const looked = await shop.looked({ backup: backup.id, method: "single-transaction" });
  expect(looked).toMatchObject({ status: "ready", preflight: { method: "single-transaction", wayBack: "former" } });
  const done = await shop.carryOut((await shop.approved(looked.id)).id);
  expect(done.error).toBeUndefined();
  expect(done).toMatchObject({ status: "done", result: { compared: { rows: 500, tables: 1 }, differencesTotal: 0 } });
  const { restoreMs = 0, swap } = done.result ?? {};
  expect(restoreMs).toBeGreaterThan(swap?.refusedMs ?? Number.NaN);
  expect(await server.psql("shop", "SELECT count(*) FROM t")).toBe("500");
  expect(await deps.verifications.restores("shop")).toEqual([]);
});
