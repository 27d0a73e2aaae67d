import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type BucketWorld, bucketBeside, bucketReplacer, bucketWorld, replaced } from "../support/s3-replace.ts";
import type { BucketChildOrder } from "../support/s3-replace-child.ts";

const live = { "a/1": "one", "a/2": "two", "a/3": "three", "b/1": "four" };
const mark = ".vakhta-restore-r1";

function alter({ s3 }: BucketWorld): Record<string, string> {
  for (const key of ["a/1", "a/2", "a/3"]) s3.put(key, `altered ${key}`);
  s3.put("new/1", "new");
  s3.put("new/2", "new");
  s3.remove("b/1");
  return s3.now();
}

/** Does it in a process of its own, which is killed at the n-th request that fits: `after` it was carried out, or before. */
async function killedAt(
  world: BucketWorld,
  operation: BucketChildOrder["operation"],
  { request, nth = 1, after = false }: { readonly request: RegExp; readonly nth?: number; readonly after?: boolean },
): Promise<void> {
  const journal = join(world.folder, "journal.json");
  writeFileSync(journal, JSON.stringify(world.memory.journal ?? { step: "compare", facts: {} }));
  const order: BucketChildOrder = {
    operation,
    config: world.config,
    store: world.store,
    manifest: join(world.folder, "manifest.json"),
    journal,
    identity: operation === "make" ? { ...world.identity, database: "memory/again/" } : world.identity,
  };
  const file = join(import.meta.dirname, "../support/s3-replace-child.ts");
  const child = spawn(process.execPath, [file, JSON.stringify(order)], { stdio: "inherit" });
  const ended = once(child, "exit");
  let seen = 0;
  world.s3.onRequest = async (kind) => {
    if (request.test(kind)) seen += 1;
    // The one after it says that it was answered.
    if (seen < nth || (after && seen === nth && request.test(kind))) return;
    child.kill("SIGKILL");
    await ended;
    throw new Error("the client is dead");
  };
  const [, signal] = (await ended) as [number | null, string | null];
  world.s3.onRequest = undefined;
  expect(signal).toBe("SIGKILL");
  world.memory.journal = JSON.parse(readFileSync(journal, "utf8")) as NonNullable<typeof world.memory.journal>;
}

/** A swap that was killed, and what was there before it. */
async function killedSwap(at: Parameters<typeof killedAt>[2]) {
  const world = await bucketWorld(live, { config: { concurrency: 1 } });
  const altered = alter(world);
  await bucketReplacer(world.config).prepare(world.reader(), world.context());
  await killedAt(world, "swap", at);
  return { world, s3: world.s3, altered, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

it("begins a swap that was killed before its mark was put", async () => {
  await using one = await killedSwap({ request: new RegExp(`^PUT ${mark}-swap`) });
  const replacer = bucketReplacer(one.world.config);
  expect(await replacer.recover(one.world.context())).toBe("prepared");
  expect(one.s3.now()).toEqual(one.altered);
  await replacer.swap(one.world.context());
  expect(one.s3.now()).toEqual(live);
});

const halfway = [
  ["when its mark was put", { request: new RegExp(`^PUT ${mark}-swap`), after: true }],
  ["before the first object is removed", { request: /^DELETE new/ }],
  ["when one object was removed", { request: /^DELETE new/, after: true }],
  ["before the first object is written", { request: /^PUT [ab]/ }],
  ["when two objects were written", { request: /^PUT [ab]/, nth: 2, after: true }],
  ["before its mark is removed", { request: new RegExp(`^DELETE ${mark}-swap`) }],
] as const;
const inSwap = [
  ...halfway,
  ["when its mark was removed", { request: new RegExp(`^DELETE ${mark}-swap`), after: true }],
] as const;

it.each(inSwap)("goes on with a swap that was killed %s", async (_, at) => {
  await using one = await killedSwap(at);
  const replacer = bucketReplacer(one.world.config);
  expect(await replacer.recover(one.world.context())).toBe("swapped");
  expect(one.s3.now()).toEqual(live);
  expect(one.world.memory.journal).toMatchObject({ step: "swapped", facts: { former: "5" } });
  await replacer.undo(one.world.context());
  expect(one.s3.now()).toEqual(one.altered);
});

it.each(halfway)("takes back a swap that was killed %s, where the backup is not there any more", async (_, at) => {
  await using one = await killedSwap(at);
  const { journal } = one.world.memory;
  const context = one.world.memory.context(one.world.identity, { journal });
  expect(await bucketReplacer(one.world.config).recover(context)).toBe("rolled-back");
  expect(one.s3.now()).toEqual(one.altered);
});

it("takes back what was half swapped when it is given up", async () => {
  await using world = await bucketWorld(live, { config: { concurrency: 1 } });
  const altered = alter(world);
  await bucketReplacer(world.config).prepare(world.reader(), world.context());
  await killedAt(world, "swap", { request: /^PUT [ab]/, nth: 2 });
  expect(world.s3.now()).not.toEqual(altered);
  const other = bucketReplacer(world.config, { id: "r2" });
  await expect(other.prepare(world.reader(), world.context())).rejects.toMatchObject({ code: "busy" });
  await bucketReplacer(world.config).discard(world.context());
  expect(world.s3.now()).toEqual(altered);
  // It is out of the way now.
  await other.prepare(world.reader(), world.context());
  await other.swap(world.context());
  expect(world.s3.now()).toEqual(live);
});

const inUndo = [
  ["before its mark is put", { request: new RegExp(`^PUT ${mark}-undo`) }, "swapped"],
  ["when its mark was put", { request: new RegExp(`^PUT ${mark}-undo`), after: true }, "undone"],
  ["when one object was brought back", { request: /^COPY a/, after: true }, "undone"],
  ["before the last object is removed", { request: /^DELETE b/ }, "undone"],
  ["before its mark is removed", { request: new RegExp(`^DELETE ${mark}-undo`) }, "undone"],
  ["when its mark was removed", { request: new RegExp(`^DELETE ${mark}-undo`), after: true }, "undone"],
] as const;

it.each(inUndo)("ends an undo that was killed %s", async (name, at, left) => {
  await using world = await bucketWorld(live, { config: { concurrency: 1 } });
  const { s3 } = world;
  const altered = alter(world);
  await replaced(world);
  const isEnd = name === "when its mark was removed";
  // Nothing is asked of the bucket behind that: the process has ended then.
  if (isEnd) await bucketReplacer(world.config).undo(world.context({ record: async () => undefined }));
  else await killedAt(world, "undo", at);
  if (isEnd) world.memory.journal = { step: "undo", facts: {} };
  const replacer = bucketReplacer(world.config);
  expect(await replacer.recover(world.context())).toBe(left);
  if (left === "swapped") await replacer.undo(world.context());
  expect(s3.now()).toEqual(altered);
  // Killed once more at the same: nothing is left to do.
  expect(await replacer.recover(world.context())).toBe("undone");
  expect(s3.now()).toEqual(altered);
});

it("goes on with what was begun next to what is live, or removes it", async () => {
  await using world = await bucketWorld(live, { config: { concurrency: 1, exclude: ["again/*"] } });
  const { s3 } = world;
  const identity = { ...world.identity, database: "memory/again/" };
  const context = () => world.memory.context(identity);
  const restored = Object.fromEntries(Object.entries(live).map(([key, body]) => [`again/${key}`, body]));
  await killedAt(world, "make", { request: /^PUT again/, nth: 3 });
  expect(Object.keys(s3.now()).filter((key) => key.startsWith("again/")).length).toBe(2);
  await bucketBeside(world.config).discard(context());
  expect(s3.now()).toEqual(live);
  await killedAt(world, "make", { request: /^PUT again/, nth: 3 });
  const report = await bucketBeside(world.config).make(world.reader(), context());
  expect(report).toMatchObject({ compared: { objects: 4 }, differences: [] });
  expect(s3.now()).toEqual({ ...live, ...restored });
  // What is whole is not removed by whoever cleans up.
  await bucketBeside(world.config).discard(context());
  expect(s3.now()).toEqual({ ...live, ...restored });
});
