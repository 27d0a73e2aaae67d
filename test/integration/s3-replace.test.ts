import { expect, it } from "vitest";
import { indexOf } from "../support/bucket.ts";
import { bucketReplacer, bucketWorld, replaced } from "../support/s3-replace.ts";
import type { VersionedS3 } from "../support/s3-versions.ts";

const { signal } = new AbortController();
const large = "x".repeat(20 * 1024 * 1024);
const live = { "a/1": "one", "a/2": "two", "b/1": "three", root: "four", large: large };

/** What people do to a bucket after its backup. */
function alter(s3: VersionedS3) {
  s3.put("a/1", "ONE");
  s3.put("a/new", "new");
  s3.put("c/new", "new");
  s3.put("root", "four", { "content-type": "text/html" });
  s3.remove("b/1");
  s3.put("large", "small now");
}

it("replaces a bucket by its backup and takes it back, object by object", async () => {
  await using world = await bucketWorld(live);
  const { s3 } = world;
  alter(s3);
  const altered = s3.now();
  const replacer = bucketReplacer(world.config);
  const before = s3.versions.get("a/2")?.length;

  const look = await replacer.look(world.reader().manifest, { reader: world.reader(), signal });
  expect(look).toMatchObject({
    identity: world.identity,
    database: "memory/",
    sameSystem: true,
    unit: "objects",
    method: "versions",
    wayBack: "versions",
    obstacles: [],
    lostTotal: 3,
    neededBytes: 3 + 5 + large.length,
  });
  expect(look.lost).toEqual(
    expect.arrayContaining([
      { what: "a/", live: 2, exact: true },
      { what: "c/", live: 1, exact: true },
      { what: "/", live: 1, exact: true },
    ]),
  );
  expect(s3.now()).toEqual(altered);

  const report = await replacer.prepare(world.reader(), world.context());
  expect(report).toMatchObject({ compared: { objects: 5 }, differences: [], differencesTotal: 0 });
  expect(report.remarks).toEqual([{ key: "remark-s3-replace", args: { write: 4, remove: 2, same: 1 } }]);
  expect(s3.now()).toEqual(altered);

  expect(await replacer.swap(world.context())).toEqual({ refusedMs: 0, sessionsEnded: 0 });
  expect(s3.now()).toEqual(live);
  expect(s3.versions.get("root")?.[0]?.headers).toMatchObject({ "content-type": "text/plain" });
  // What was as the backup already was not written once more.
  expect(s3.versions.get("a/2")?.length).toBe(before);
  expect(world.memory.steps).toEqual(["compare", "prepared", "swap", "swapped"]);
  expect(await replacer.changes(signal)).toMatchObject({ written: 0, gone: 0, changed: [] });

  s3.put("a/2", "written since");
  s3.put("d/1", "written since");
  s3.remove("b/1");
  expect(await bucketReplacer(world.config).changes(signal)).toEqual({
    changed: [
      { what: "a/", written: 1, gone: 1 },
      { what: "b/", written: 0, gone: 1 },
      { what: "d/", written: 1, gone: 0 },
    ],
    changedTotal: 3,
    unit: "objects",
    written: 2,
    gone: 2,
  });
  const undone = await bucketReplacer(world.config).undo(world.context());
  expect(undone.changes).toMatchObject({ written: 2, gone: 2 });
  expect(s3.now()).toEqual(altered);
  expect(s3.versions.get("root")?.[0]?.headers).toMatchObject({ "content-type": "text/html" });
  // What was written since is an older version now.
  expect(s3.versions.get("d/1")?.map(({ body }) => body?.toString())).toEqual([undefined, "written since"]);
  await replacer.discard(world.context());
  expect(s3.now()).toEqual(altered);
});

it("tells versions of one second apart by the order that the server keeps them in", async () => {
  await using world = await bucketWorld({ "a/1": "one", "a/2": "two" }, { seconds: true });
  const { s3 } = world;
  // Everything within the second in which the swap begins, as far as that can be had.
  s3.put("a/1", "ONE");
  s3.remove("a/1");
  s3.remove("a/2");
  s3.put("a/2", "TWO");
  s3.put("a/3", "put and removed");
  s3.remove("a/3");
  const altered = s3.now();
  const replacer = await replaced(world);
  expect(s3.now()).toEqual({ "a/1": "one", "a/2": "two" });
  s3.put("a/1", "since");
  expect(await replacer.changes(signal)).toMatchObject({ written: 1, gone: 1 });
  await replacer.undo(world.context());
  expect(s3.now()).toEqual(altered);
});

it("replaces every key that a bucket may have, over many pages, and an empty bucket", async () => {
  const keys = [
    "plain",
    "a//b",
    "/leading",
    "../up",
    ".",
    "folder/",
    " space + plus % percent ",
    "quote'\"<&>?versionId=1",
  ];
  const odd = [...keys, "new\nline\ttab", "control\u0001\u001b", "ёлка/ж\u{1F600}", "\uFFFD", "d".repeat(1024)];
  const objects = Object.fromEntries(odd.map((key, index) => [key, `content ${index}`]));
  await using world = await bucketWorld(objects, { pageSize: 3 });
  const { s3 } = world;
  for (const key of odd) s3.put(key, `altered ${key}`);
  for (const key of odd) s3.put(`${key}-more`, "more");
  const altered = s3.now();
  const replacer = await replaced(world);
  expect(s3.now()).toEqual(objects);
  await replacer.undo(world.context());
  expect(s3.now()).toEqual(altered);

  for (const key of Object.keys(s3.now())) s3.remove(key);
  const again = bucketReplacer(world.config, { id: "r2" });
  await again.prepare(world.reader(), world.context());
  await again.swap(world.context());
  expect(s3.now()).toEqual(objects);
  await again.undo(world.context());
  expect(s3.now()).toEqual({});
});

it("replaces a few objects of more than a page of them", async () => {
  const objects = Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`f${n % 30}/${n}`, `content ${n}`]));
  await using world = await bucketWorld(objects);
  const { s3 } = world;
  for (const key of Object.keys(objects).slice(0, 150)) s3.put(key, "altered");
  for (const key of Object.keys(objects).slice(1050)) s3.remove(key);
  const altered = s3.now();
  const look = await bucketReplacer(world.config).look(world.reader().manifest, { signal, reader: world.reader() });
  expect(look.lost.length).toBe(20);
  expect(look.lostTotal).toBe(30);
  const replacer = await replaced(world);
  expect(s3.now()).toEqual(objects);
  await replacer.undo(world.context());
  expect(s3.now()).toEqual(altered);
});

it("touches only a part, and neither what is excluded nor what lies elsewhere", async () => {
  const objects = { "p/a/1": "one", "p/b/1": "two", "p/cache/1": "cached", "q/1": "other" };
  const config = { prefix: "p", exclude: ["cache/*"] };
  await using world = await bucketWorld(objects, { config });
  const { s3 } = world;
  s3.put("p/a/1", "ONE");
  s3.put("p/a/2", "new");
  s3.put("p/b/1", "TWO");
  s3.put("p/cache/2", "cached");
  const identity = { system: s3.endpoint, database: "memory/p/" };
  const replacer = bucketReplacer(world.config, { pick: "a/" });
  const look = await replacer.look(world.reader().manifest, { signal, reader: world.reader() });
  expect(look).toMatchObject({ identity, database: "memory/p/a/", lost: [{ what: "p/a/", live: 2 }], obstacles: [] });
  const context = () => world.memory.context(identity, { reader: world.reader() });
  await replacer.prepare(world.reader(), context());
  await replacer.swap(context());
  expect(s3.now()).toEqual({ ...objects, "p/b/1": "TWO", "p/cache/2": "cached" });
  const whole = bucketReplacer(world.config, { id: "r2" });
  await whole.prepare(world.reader(), context());
  await whole.swap(context());
  expect(s3.now()).toEqual({ ...objects, "p/cache/2": "cached" });

  const mistyped = bucketReplacer(world.config, { id: "r3", pick: "A/" });
  const { obstacles } = await mistyped.look(world.reader().manifest, { signal, reader: world.reader() });
  expect(obstacles).toEqual([{ key: "replace-obstacle-s3-nothing", args: { place: "memory/p/A/" } }]);
  await expect(mistyped.prepare(world.reader(), context())).rejects.toMatchObject({ code: "not-found" });
});

it("has no mark of a restore in any backup", async () => {
  await using world = await bucketWorld({ "a/1": "one" });
  world.s3.put("a/1", "ONE");
  const marks: string[] = [];
  world.s3.onRequest = async (request) => {
    if (request !== "PUT a/1") return;
    world.s3.onRequest = undefined;
    const during = await world.backups.make(world.config);
    marks.push(...Object.keys(world.s3.now()).filter((key) => key.startsWith(".vakhta-restore-")));
    expect((await indexOf(world.backups.reader(during))).map(({ key }) => key)).toEqual(["a/1"]);
  };
  await replaced(world);
  expect(marks).toEqual([".vakhta-restore-r1-swap"]);
  expect(world.s3.now()).toEqual({ "a/1": "one" });
});

it("tells by the dates what will be lost where the backup is not read", async () => {
  await using world = await bucketWorld({ "a/1": "one" });
  const { manifest } = world.reader();
  const look = await bucketReplacer(world.config).look(manifest, { signal });
  expect(look.lost).toEqual([{ what: "a/", live: 1, exact: false }]);
  expect(look.remarks).toContainEqual({ key: "replace-remark-s3-dates" });
});
