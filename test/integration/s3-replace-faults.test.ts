import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Bucket } from "../../src/sources/s3/bucket.ts";
import { copyVersion } from "../../src/sources/s3/replace/copy.ts";
import { historiesOf } from "../../src/sources/s3/replace/versions.ts";
import { s3SourceSchema } from "../../src/sources/s3/schema.ts";
import { filesBelow } from "../support/backup.ts";
import { type BucketWorld, bucketBeside, bucketReplacer, bucketWorld, replaced } from "../support/s3-replace.ts";

const { signal } = new AbortController();
const live = { "a/1": "one", "a/2": "two", "a/3": "three", "b/1": "four" };
const mark = ".vakhta-restore-r1";

function alter({ s3 }: Pick<BucketWorld, "s3">): Record<string, string> {
  for (const key of ["a/1", "a/2", "a/3"]) s3.put(key, `altered ${key}`);
  s3.put("new/1", "new");
  s3.remove("b/1");
  return s3.now();
}

async function prepared(config: object = {}) {
  const world = await bucketWorld(live, { config: { concurrency: 1, ...config } });
  const altered = alter(world);
  const replacer = bucketReplacer(world.config);
  await replacer.prepare(world.reader(), world.context());
  return { world, s3: world.s3, altered, replacer, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const obstaclesOf = async (world: BucketWorld): Promise<string[]> => {
  const { obstacles } = await bucketReplacer(world.config).look(world.reader().manifest, { signal });
  return obstacles.map(({ key }) => key);
};

it("says before anything is done what stands in the way", async () => {
  await using world = await bucketWorld(live);
  const { s3 } = world;
  expect(await obstaclesOf(world)).toEqual([]);
  s3.versioning = undefined;
  expect(await obstaclesOf(world)).toEqual(["replace-obstacle-s3-never"]);
  s3.versioning = "Suspended";
  expect(await obstaclesOf(world)).toEqual(["replace-obstacle-s3-suspended"]);
  s3.versioning = "Enabled";
  s3.refuse = (request) => (request === "VERSIONING" ? [501, "NotImplemented"] : undefined);
  expect(await obstaclesOf(world)).toEqual(["replace-obstacle-s3-never"]);
  s3.refuse = (request) => (/^(VERSION|UPLOAD)/.test(request) ? [403, "AccessDenied"] : undefined);
  const refused = ["replace-obstacle-s3-unknown", "replace-obstacle-s3-write", "replace-obstacle-s3-list-versions"];
  s3.versioning = "Enabled";
  expect(await obstaclesOf(world).catch(String)).toEqual(refused);
  s3.refuse = undefined;
  s3.put(`${mark.replace("r1", "r9")}-swap`, "");
  expect(await obstaclesOf(world)).toEqual(["replace-obstacle-s3-busy"]);
  s3.remove(`${mark.replace("r1", "r9")}-swap`);
  const other = bucketReplacer({ ...world.config, prefix: "a" });
  const { obstacles, sameSystem } = await other.look(world.reader().manifest, { signal });
  expect(sameSystem).toBe(true);
  expect(obstacles).toEqual([{ key: "replace-obstacle-s3-other", args: { place: "memory/a/", other: "memory/" } }]);
  expect(s3.now()).toEqual(live);
});

it("tells how long the bucket keeps what is written over", async () => {
  await using world = await bucketWorld(live);
  const rule = (days: number, status = "Enabled") =>
    `<Rule><ID>${days}</ID><Filter/><Status>${status}</Status><NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays></NoncurrentVersionExpiration></Rule>`;
  world.s3.rules = `<LifecycleConfiguration>${rule(30)}${rule(7)}${rule(1, "Disabled")}</LifecycleConfiguration>`;
  const { remarks } = await bucketReplacer(world.config).look(world.reader().manifest, { signal });
  expect(remarks).toContainEqual({ key: "replace-remark-s3-lifecycle", args: { days: 7 } });
});

it("replaces by the keys for restoring, which the others need not be able to", async () => {
  const restore = { accessKeyId: "writer", secretAccessKey: "secret-of-the-writer" };
  await using world = await bucketWorld(live, { config: { restore } });
  expect([...world.s3.keys]).toEqual(["key"]);
  world.s3.keys.clear();
  alter(world);
  await replaced(world);
  expect([...world.s3.keys]).toEqual(["writer"]);
});

it.each([undefined, "Suspended"] as const)(
  "refuses a bucket that keeps no versions (%s) any more",
  async (versioning) => {
    await using one = await prepared();
    one.s3.versioning = versioning;
    await expect(one.replacer.swap(one.world.context())).rejects.toMatchObject({ code: "conflict" });
    expect(one.s3.now()).toEqual(one.altered);
  },
);

it("stops when versioning is suspended in the middle, and brings everything back when it is on again", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  s3.onRequest = (request) => {
    if (request === "PUT a/2") s3.versioning = "Suspended";
  };
  const failure = { code: "conflict", text: { key: "error-replace-s3-half" } };
  await expect(one.replacer.swap(world.context())).rejects.toMatchObject(failure);
  expect(s3.requests).not.toContain("PUT a/3");
  s3.onRequest = undefined;
  s3.versioning = "Enabled";
  const { reader: _, ...context } = world.context();
  expect(await bucketReplacer(world.config).recover(context)).toBe("rolled-back");
  expect(s3.now()).toEqual(one.altered);
});

it("writes nothing with a key that may not write, or not remove", async () => {
  await using world = await bucketWorld(live);
  const altered = alter(world);
  for (const method of ["PUT", "DELETE"]) {
    world.s3.refuse = (request) => (request.startsWith(method) ? [403, "AccessDenied"] : undefined);
    const failure = { code: "source-refused", text: { key: "error-source-s3-write" } };
    await expect(bucketReplacer(world.config).prepare(world.reader(), world.context())).rejects.toMatchObject(failure);
    world.s3.refuse = undefined;
    world.s3.remove(`${mark}-probe`);
    expect(world.s3.now()).toEqual(altered);
  }
});

it("writes nothing with a key that could not bring back what it writes over", async () => {
  await using world = await bucketWorld(live);
  const altered = alter(world);
  world.s3.refuse = (request) => (request.startsWith("COPY") ? [403, "AccessDenied"] : undefined);
  const failure = { code: "source-refused", text: { key: "error-replace-s3-read-versions" } };
  await expect(bucketReplacer(world.config).prepare(world.reader(), world.context())).rejects.toMatchObject(failure);
  expect(world.s3.now()).toEqual(altered);
});

it("brings everything back when the bucket refuses one object", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  s3.refuse = (request) => (request === "PUT a/3" ? [403, "AccessDenied"] : undefined);
  const failure = { code: "source-refused", text: { key: "error-replace-s3-put-back" } };
  await expect(one.replacer.swap(world.context())).rejects.toMatchObject(failure);
  expect(s3.requests).toContain("PUT a/2");
  expect(s3.now()).toEqual(one.altered);
  // What has failed can be begun once more.
  s3.refuse = undefined;
  expect(await one.replacer.recover(world.context())).toBe("rolled-back");
  await one.replacer.prepare(world.reader(), world.context());
  await one.replacer.swap(world.context());
  expect(s3.now()).toEqual(live);
  await one.replacer.undo(world.context());
  expect(s3.now()).toEqual(one.altered);
});

it("goes on when the server is back that was lost in the middle", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  s3.onRequest = (request) => {
    if (request === "PUT a/2") s3.refuse = () => [400, "Unavailable"];
  };
  const failure = { permanent: false, text: { key: "error-replace-s3-half" } };
  await expect(one.replacer.swap(world.context())).rejects.toMatchObject(failure);
  s3.onRequest = undefined;
  s3.refuse = undefined;
  expect(s3.now()).not.toEqual(one.altered);
  expect(await bucketReplacer(world.config).recover(world.context())).toBe("swapped");
  expect(s3.now()).toEqual(live);
});

it("deals with what others write while it swaps", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  s3.onRequest = (request) => {
    if (request !== `DELETE ${mark}-swap`) return;
    s3.onRequest = undefined;
    s3.put("a/1", "by the application");
    s3.put("new/2", "by the application");
  };
  await one.replacer.swap(world.context());
  expect(s3.now()).toEqual(live);
  await one.replacer.undo(world.context());
  expect(s3.now()).toEqual(one.altered);
});

it("gives up, and brings everything back, when others go on writing", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  let written = 0;
  s3.onRequest = (request) => {
    if (request !== `DELETE ${mark}-swap`) return;
    written += 1;
    if (written <= 3) s3.put("a/1", `by the application ${written}`);
  };
  const failure = { text: { key: "error-replace-s3-put-back" } };
  await expect(one.replacer.swap(world.context())).rejects.toMatchObject(failure);
  expect(s3.now()).toEqual(one.altered);
});

it("counts what is written right after the swap as changes, and not against it", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  let isOver = false;
  s3.onRequest = (request) => {
    if (request === `DELETE ${mark}-swap`) isOver = true;
    if (!isOver || request !== "LIST") return;
    s3.onRequest = undefined;
    s3.put("a/1", "by the application");
  };
  await one.replacer.swap(world.context());
  expect(s3.now()).toEqual({ ...live, "a/1": "by the application" });
  expect(await one.replacer.changes(signal)).toMatchObject({ written: 1, gone: 1 });
});

it("knows its own objects again when their tags say nothing", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  s3.opaqueTags = true;
  await one.replacer.swap(world.context());
  expect(s3.now()).toEqual(live);
  const puts = s3.requests.filter((request) => request.startsWith("PUT a/"));
  expect(puts).toEqual(["PUT a/1", "PUT a/2", "PUT a/3"]);
  await one.replacer.undo(world.context());
  expect(s3.now()).toEqual(one.altered);
});

it("touches nothing for a backup that is damaged", async () => {
  await using world = await bucketWorld(live);
  const altered = alter(world);
  const file = filesBelow(world.store).find((name) => name.includes("artifact")) ?? "";
  const bytes = readFileSync(join(world.store, file));
  bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
  writeFileSync(join(world.store, file), bytes);
  await expect(bucketReplacer(world.config).prepare(world.reader(), world.context())).rejects.toMatchObject({
    code: expect.stringMatching(/^(storage-mismatch|source-failed|tool-failed)$/),
  });
  expect(world.memory.steps).toEqual(["compare"]);
  await expect(bucketReplacer(world.config).swap(world.context())).rejects.toMatchObject({ code: "conflict" });
  expect(world.s3.now()).toEqual(altered);
});

it("brings nothing back when some of it is gone", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  await one.replacer.swap(world.context());
  // As a rule of the bucket does it.
  s3.versions.set("a/1", s3.versions.get("a/1")?.slice(0, 1) ?? []);
  const failure = { code: "conflict", text: { key: "error-replace-s3-expired", args: { place: "memory/", count: 1 } } };
  await expect(one.replacer.undo(world.context())).rejects.toMatchObject(failure);
  expect(s3.now()).toEqual(live);
});

it("lets one of two restores of a bucket go on that begin at once", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  const second = bucketReplacer(world.config, { id: "r2" });
  const both = await Promise.allSettled([one.replacer.swap(world.context()), second.swap(world.context())]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "busy" } });
  expect(s3.now()).toEqual(live);
  const [winner, loser] = both[0]?.status === "fulfilled" ? [one.replacer, second] : [second, one.replacer];
  await expect(loser.undo(world.context())).rejects.toMatchObject({ code: "conflict" });
  expect(s3.now()).toEqual(live);
  await winner.undo(world.context());
  expect(s3.now()).toEqual(one.altered);
});

it("is not taken back over the head of a later restore", async () => {
  await using one = await prepared();
  const { s3, world } = one;
  await one.replacer.swap(world.context());
  const first = world.memory.journal;
  s3.put("a/1", "written in between");
  const second = await replaced(world, { id: "r2" });
  await expect(one.replacer.undo(world.context())).rejects.toMatchObject({
    text: { key: "error-replace-s3-succeeded" },
  });
  expect(s3.now()).toEqual(live);
  await second.undo(world.context());
  expect(s3.now()).toEqual({ ...live, "a/1": "written in between" });
  world.memory.journal = first;
  await one.replacer.undo(world.context());
  expect(s3.now()).toEqual(one.altered);
});

it("does nothing to another bucket than was approved", async () => {
  await using one = await prepared();
  const { world } = one;
  const context = world.memory.context({ ...world.identity, database: "other/" }, { reader: world.reader() });
  for (const step of ["swap", "undo"] as const)
    await expect(one.replacer[step](context)).rejects.toMatchObject({ code: "conflict" });
  await expect(one.replacer.prepare(world.reader(), context)).rejects.toMatchObject({ code: "conflict" });
  expect(world.s3.now()).toEqual(one.altered);
});

it("copies in parts what is too large for a copy at once", async () => {
  await using world = await bucketWorld({ key: "former content", ёлка: "short" });
  world.s3.put("key", "content");
  const bucket = new Bucket(s3SourceSchema.parse(world.config));
  for await (const { key, entries } of historiesOf(bucket, "key", signal)) {
    const former = entries.at(-1);
    if (key === "key" && former) await copyVersion(bucket, former, signal, { whole: 10, part: 4 });
  }
  bucket.requests.close();
  expect(world.s3.now()["key"]).toBe("former content");
  expect(world.s3.versions.get("key")?.[0]?.headers).toMatchObject({ "content-type": "text/plain" });
  expect(world.s3.requests.filter((request) => request === "COPYPART key").length).toBe(4);
});

it("restores next to what is live, into what is empty only, and leaves nothing when it fails", async () => {
  await using world = await bucketWorld(live, { config: { concurrency: 1 } });
  const { s3 } = world;
  const identity = { ...world.identity, database: "memory/again/" };
  const context = () => world.memory.context(identity);
  const beside = bucketBeside(world.config, { to: "/again" });
  const look = await beside.look(world.reader().manifest, { reader: world.reader(), signal });
  const remarks = [{ key: "replace-remark-s3-inside", args: { pattern: "again/*" } }];
  expect(look).toMatchObject({
    identity,
    database: "memory/again/",
    obstacles: [],
    remarks,
    lost: [],
    neededBytes: 15,
  });
  s3.refuse = (request) => (request === "PUT again/b/1" ? [403, "AccessDenied"] : undefined);
  await expect(beside.make(world.reader(), context())).rejects.toMatchObject({ code: "source-refused" });
  expect(s3.now()).toEqual(live);
  s3.refuse = undefined;
  world.memory.journal = undefined;
  s3.put("again/there", "somebody's");
  await expect(beside.make(world.reader(), context())).rejects.toMatchObject({ code: "conflict" });
  const { obstacles } = await beside.look(world.reader().manifest, { signal });
  expect(obstacles.map(({ key }) => key)).toEqual(["error-s3-not-empty"]);
  s3.remove("again/there");
  const part = bucketBeside(world.config, { pick: "a/" });
  const report = await part.make(world.reader(), context());
  expect(report).toMatchObject({ compared: { objects: 3, bytes: 11 }, differences: [], differencesTotal: 0 });
  expect(s3.now()).toEqual({ ...live, "again/a/1": "one", "again/a/2": "two", "again/a/3": "three" });
  const nowhere = bucketBeside(world.config, { to: "/" });
  await expect(nowhere.look(world.reader().manifest, { signal })).rejects.toThrow("expected a folder");
});

it("leaves alone what was excluded when the backup was made, and whatever is excluded since the swap comes back", async () => {
  const objects = { "a/1": "one", "b/1": "two", "cache/1": "cached" };
  await using world = await bucketWorld(objects, { config: { exclude: ["cache/*"] } });
  const { s3 } = world;
  s3.put("a/1", "ONE");
  const now = { ...world.config, exclude: [] };
  const look = await bucketReplacer(now).look(world.reader().manifest, { reader: world.reader(), signal });
  expect(look).toMatchObject({ lost: [{ what: "a/", live: 1 }], lostTotal: 1 });
  await bucketReplacer(now).prepare(world.reader(), world.context());
  await bucketReplacer(now).swap(world.context());
  expect(s3.now()).toEqual(objects);
  s3.put("cache/1", "cached since");
  expect(await bucketReplacer(now).changes(signal)).toMatchObject({ written: 0 });
  await bucketReplacer({ ...now, exclude: ["a/*"] }).undo(world.context());
  expect(s3.now()).toEqual({ ...objects, "a/1": "ONE", "cache/1": "cached since" });
});
