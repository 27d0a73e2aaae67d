import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { startRedis } from "../support/redis.ts";
import { restoreWorld } from "../support/restoration.ts";
import { bucketWorld } from "../support/s3-replace.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const day = 86_400_000;
let clock: ManualClock;
let path: string;

beforeEach(() => {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  path = made.path;
  clock = new ManualClock("2026-03-01T12:00:00Z");
});

describe("every kind goes the whole way, and back", () => {
  it("files: what was live is kept beside, also when a part of it was deleted", async () => {
    const tree = join(path, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "a"), "one");
    const shop = restoreWorld(fixture, clock, { path, source: { kind: "files", paths: [tree] } });
    const backup = await shop.backUp();
    writeFileSync(join(tree, "a"), "two");
    writeFileSync(join(tree, "b"), "new");
    const done = await shop.restored({ backup: backup.id });
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", preflight: { wayBack: "kept", unit: "files" } });
    expect(readdirSync(tree)).toEqual(["a"]);
    const undone = await shop.undone(done.id);
    expect(undone).toMatchObject({ status: "undone" });
    expect(readFileSync(join(tree, "a"), "utf8")).toBe("two");
    clock.advance(2 * day);
    expect((await shop.work(done.id)).undo?.droppedAt).toBeDefined();
    expect(readdirSync(path).toSorted()).toEqual(["local", "offsite", "tree"]);
    rmSync(tree, { recursive: true });
    const again = await shop.restored({ backup: backup.id });
    expect(again).toMatchObject({ status: "done", preflight: { noFormer: { key: expect.any(String) } } });
    expect(again.former).toBeUndefined();
    expect(readFileSync(join(tree, "a"), "utf8")).toBe("one");
  });

  it("Redis: going back is a restore of what was backed up right before", async () => {
    const live = await startRedis();
    onTestFinished(() => live.stop());
    const redis = new Redis(live.url);
    onTestFinished(() => redis.disconnect());
    await redis.mset({ a: "1", b: "2" });
    const shop = restoreWorld(fixture, clock, { path, source: { kind: "redis", url: live.url } });
    const backup = await shop.backUp();
    await redis.mset({ a: "9", c: "3" });
    const done = await shop.restored({ backup: backup.id });
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", preflight: { wayBack: "former", unit: "keys" } });
    expect([await redis.get("a"), await redis.exists("c")]).toEqual(["1", 0]);
    const undone = await shop.undone(done.id);
    expect(undone.undo?.error).toBeUndefined();
    expect(undone.status).toBe("undone");
    expect([await redis.get("a"), await redis.get("c")]).toEqual(["9", "3"]);
    // What was taken back is a backup of its own: that is no dead end either.
    const takenBack = await shop.deps.runs.get(undone.undo?.former ?? "");
    expect(takenBack).toMatchObject({ status: "succeeded", trigger: "before-undo", restoration: done.id });
    expect((await shop.deps.pins.all()).flatMap(({ order }) => (order.pinned ? [order.run] : []))).toEqual(
      expect.arrayContaining([done.former, takenBack.id]),
    );
    clock.advance(1000);
    const forward = await shop.restored({ backup: takenBack.id });
    expect(forward.error).toBeUndefined();
    expect([await redis.get("a"), await redis.exists("c")]).toEqual(["1", 0]);
  });

  it("Redis: that of the program itself is refused", async () => {
    const shop = restoreWorld(fixture, clock, { path, source: { kind: "redis", url: fixture.server.url } });
    const backup = await shop.backUp();
    const refused = await shop.looked({ backup: backup.id });
    expect(refused.status).toBe("refused");
    expect(refused.preflight?.obstacles.map(({ key }) => key)).toContain("replace-redis-own");
  });

  it("S3: the store keeps what was there", async () => {
    await using world = await bucketWorld({ "a/1": "one", "a/2": "two" });
    const shop = restoreWorld(fixture, clock, { path, source: world.config });
    const backup = await shop.backUp();
    expect(backup.error).toBeUndefined();
    world.s3.put("a/1", "ONE");
    world.s3.put("b/3", "new");
    const done = await shop.restored({ backup: backup.id });
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", preflight: { wayBack: "versions", unit: "objects" } });
    expect(world.s3.now()).toEqual({ "a/1": "one", "a/2": "two" });
    expect((await shop.undone(done.id)).status).toBe("undone");
    expect(world.s3.now()).toEqual({ "a/1": "ONE", "a/2": "two", "b/3": "new" });
  });
});
