import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { startPostgres } from "../support/postgres.ts";
import { startRedis } from "../support/redis.ts";
import { databasesOf } from "../support/replace.ts";
import { alice, type RestoreWorld, restoreWorld } from "../support/restoration.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
let clock: ManualClock;
let path: string;

beforeEach(() => {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  path = made.path;
  clock = new ManualClock("2026-03-01T12:00:00Z");
});

const prefixOf = ({ deps }: RestoreWorld): string => deps.config.redis.prefix;
const undoOf = async (shop: RestoreWorld, id: string) => {
  await shop.deps.restorations.undo(id, alice, { chatId: -1001 });
  return (await shop.work(id)).undo;
};
const refused = { status: "failed", error: { text: { key: "error-restoration-other-target" } } };

describe("the configuration names another target since a restore", () => {
  it("PostgreSQL: nothing there is taken back, and what is kept aside is not said to be dropped", async () => {
    await using server = await startPostgres();
    const sql = "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 20)";
    for (const name of ["shop", "other"]) await server.createDatabase(name, sql);
    const before = restoreWorld(fixture, clock, { path, source: { kind: "postgres", url: server.url("shop") } });
    const backup = await before.backUp();
    const { id } = await before.restored({ backup: backup.id });
    const kept = async () => await databasesOf(server, "shop_");
    expect(await kept()).toContain(id);
    const source = { kind: "postgres", url: server.url("other") };
    const after = restoreWorld(fixture, clock, { path, source, prefix: prefixOf(before) });
    expect(await undoOf(after, id)).toMatchObject(refused);
    await after.deps.restorations.keepNow(id, alice);
    const { undo } = await after.work(id);
    expect(undo).toMatchObject({ dropError: { text: { key: "error-restoration-other-target" } } });
    expect(undo?.droppedAt).toBeUndefined();
    expect(await kept()).toContain(id);
    // The address is put back: it is tried again.
    expect((await before.work(id)).undo?.droppedAt).toBeDefined();
    expect(await kept()).toBe("");
  });

  it("Redis: what was backed up there is not written over another one", async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()]);
    onTestFinished(async () => void (await Promise.all([one.stop(), other.stop()])));
    const clients = [new Redis(one.url), new Redis(other.url)] as const;
    onTestFinished(() => {
      for (const client of clients) client.disconnect();
    });
    await clients[0].set("a", "1");
    await clients[1].set("b", "2");
    const before = restoreWorld(fixture, clock, { path, source: { kind: "redis", url: one.url } });
    const backup = await before.backUp();
    const { id } = await before.restored({ backup: backup.id });
    const source = { kind: "redis", url: other.url };
    const after = restoreWorld(fixture, clock, { path, source, prefix: prefixOf(before) });
    expect(await undoOf(after, id)).toMatchObject(refused);
    expect(await clients[1].keys("*")).toEqual(["b"]);
  });
});
