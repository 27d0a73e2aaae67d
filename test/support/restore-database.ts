import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, onTestFinished } from "vitest";
import type { BackupRun } from "../../src/core/run.ts";
import { temporaryFolder } from "./backup.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { type RestoreConfig, type RestoreWorld, restoreWorld } from "./restoration.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

/** One PostgreSQL for a file's tests; each has a database with 500 orders, a folder, and a clock of its own. */
export interface RestoreDatabase {
  readonly server: PostgresServer;
  readonly database: string;
  readonly path: string;
  readonly clock: ManualClock;
  /** A worker that backs the database up, and restores it. */
  readonly world: (change?: Partial<RestoreConfig>) => RestoreWorld;
  /** How many orders there are. */
  readonly rows: (name?: string) => Promise<number>;
  /** A backup of all rows, of which all but ten are deleted afterwards. */
  readonly backedUp: (shop: RestoreWorld) => Promise<BackupRun>;
  /** A program that stops or starts services: it says so, and goes on as wanted. */
  readonly say: (what: string, then?: string) => string[];
  /** One that waits for the file `go`. */
  readonly waits: (what: string) => string[];
  /** What the programs have said. */
  readonly said: () => string[];
}

export function useRestoreDatabase(fixture: RedisFixture): RestoreDatabase {
  let server: PostgresServer;
  let count = 0;
  let each: Pick<RestoreDatabase, "database" | "path" | "clock">;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    each = { database: `shop${count++}`, path: folder.path, clock: new ManualClock("2026-03-01T12:00:00Z") };
    await server.createDatabase(
      each.database,
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 500) g",
    );
  });
  const log = () => join(each.path, "services.log");
  const say = (what: string, then = "true") => ["sh", "-c", `echo ${what} >> ${log()}; ${then}`];
  return {
    get server() {
      return server;
    },
    get database() {
      return each.database;
    },
    get path() {
      return each.path;
    },
    get clock() {
      return each.clock;
    },
    world: (change = {}) => {
      const source = { kind: "postgres", url: server.url(each.database), counts: "exact" };
      return restoreWorld(fixture, each.clock, { path: each.path, source, ...change });
    },
    rows: async (name = each.database) => Number(await server.psql(name, "SELECT count(*) FROM orders")),
    backedUp: async (shop) => {
      const backup = await shop.backUp();
      await server.psql(each.database, "DELETE FROM orders WHERE id > 10");
      return backup;
    },
    say,
    waits: (what) => say(what, `while [ ! -e ${join(each.path, "go")} ]; do sleep 0.02; done`),
    // The file may be there before its first line is.
    said: () => (existsSync(log()) ? readFileSync(log(), "utf8").split("\n").slice(0, -1) : []),
  };
}
