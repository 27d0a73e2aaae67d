import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { type AuditEntry, canonical, chainHash, genesis } from "../../src/core/audit.ts";
import type { PruneQuestion } from "../../src/core/prune.ts";
import { registerSecret } from "../../src/lib/redaction.ts";
import { Producer } from "../../src/queue/producer.ts";
import { verifyChain } from "../../src/services/audit/verify.ts";
import { PruneQuestions } from "../../src/services/backup/prune-questions.ts";
import { Audit } from "../../src/state/audit.ts";
import { Cards } from "../../src/state/cards.ts";
import { Links } from "../../src/state/links.ts";
import { Pins } from "../../src/state/pins.ts";
import { Prunes } from "../../src/state/prunes.ts";
import { type Keys, Script } from "../../src/state/redis.ts";
import { sha256Lua } from "../../src/state/sha256-lua.ts";
import { Silences } from "../../src/state/silences.ts";
import { Strangers } from "../../src/state/strangers.ts";
import { approvalsConfig, approvalsNode, order, people, person } from "../support/approvals.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const at = "2026-03-01T00:00:00.000Z";
const now = new Date(at);
const hour = 3_600_000;
const [alice, bob] = [person("alice"), person("bob")];

const anEntry = (why: string): AuditEntry => ({ at, about: "approval", what: "approved", by: alice, why });

function parts(keys: Keys) {
  const { redis } = fixture;
  const prefix = keys.root.split(":")[0] ?? "";
  return { producer: new Producer(redis, prefix), logger: pino({ level: "silent" }), cards: new Cards(redis, keys) };
}

async function verdict(audit: Audit) {
  const head = await audit.head();
  return await verifyChain(audit.records(), head ? [head] : [], { isPart: false });
}

test("scripts hash as everybody else does, whatever the length", async () => {
  const script = new Script(`${sha256Lua} return sha256(ARGV[1])`);
  const texts = Array.from({ length: 200 }, (_, length) => "я".repeat(length % 7) + "a".repeat(length));
  const hashes = await script.runAll(
    fixture.redis,
    [...texts, "x".repeat(70_000)].map((text) => ({ keys: [], args: [text] })),
  );
  expect(hashes).toEqual([...texts, "x".repeat(70_000)].map((text) => createHash("sha256").update(text).digest("hex")));
});

test("twenty who write at once make one chain", { timeout: 60_000 }, async () => {
  const keys = fixture.keys();
  const clock = new ManualClock();
  const config = approvalsConfig({ restore: { approvers: 2 } });
  const audit = new Audit(fixture.redis, keys);
  const made = Array.from({ length: 20 }, () => approvalsNode(fixture.connect(), keys, { config, clock }));
  await Promise.all(
    made.map(async ({ approvals, producer }, index) => {
      const own = new Audit(fixture.connect(), keys);
      const strangers = new Strangers(fixture.connect(), keys);
      const { approval } = await approvals.request(order({ target: `shop${index}` }));
      for (let step = 0; step < 10; step++) {
        await own.append(anEntry(`${index} ${step}`));
        await strangers.count({ by: { id: 1000 + index * 10 + step, name: "eve" }, what: "press", chatId: -1 }, now);
      }
      await approvals.confirm(approval.id, alice, approval.target, false);
      await approvals.decide(approval.id, "approve", person("carol"));
      await strangers.record(new Date(now.getTime() + hour));
      await producer.close();
    }),
  );
  const { flaw, sum } = await verdict(audit);
  expect(flaw).toBeUndefined();
  const whats = new Map<string, number>();
  for await (const { text } of audit.records()) {
    const { what } = JSON.parse(text) as AuditEntry;
    whats.set(what, (whats.get(what) ?? 0) + 1);
  }
  // Each approval's own, the appended ones, and as many strangers as are told apart, with the others.
  expect(whats.get("requested")).toBe(20);
  expect(whats.get("agreed")).toBe(20);
  expect(whats.get("approved")).toBe(20 * 2 + 200);
  expect(sum.entries).toBe([...whats.values()].reduce((a, b) => a + b, 0));
  expect(sum.last).toBe(sum.entries);
});

test("what has no hash stands before the chain", async () => {
  const keys = fixture.keys();
  const audit = new Audit(fixture.redis, keys);
  for (const seq of [1, 2]) await fixture.redis.xadd(keys.of("audit"), `${seq}-0`, "entry", '{"what":"done"}');
  expect(await audit.head()).toBeUndefined();
  await audit.append(anEntry("first"));
  await audit.append(anEntry("second"));
  const { flaw, sum } = await verdict(audit);
  expect(flaw).toBeUndefined();
  expect(sum).toMatchObject({ entries: 4, before: 2, last: 4, heads: 1 });
});

test("whatever somebody does in Redis shows, and stops nothing", async () => {
  const spoil = async (how: (key: string, keyOfHead: string) => Promise<unknown>) => {
    const keys = fixture.keys();
    const audit = new Audit(fixture.redis, keys);
    for (const why of ["a", "b", "c", "d"]) await audit.append(anEntry(why));
    const before = await verdict(audit);
    expect(before.flaw).toBeUndefined();
    await how(keys.of("audit"), keys.of("audit-head"));
    const during = await verdict(audit);
    await audit.append(anEntry("later"));
    const after = await verdict(audit);
    return [during.flaw, after.flaw].map((flaw) =>
      flaw ? `${flaw.what} ${flaw.seq}-${flaw.to ?? flaw.seq}` : "whole",
    );
  };
  const { redis } = fixture;
  expect(await spoil((key) => redis.xdel(key, "2-0"))).toEqual(["missing 2-2", "missing 2-2"]);
  expect(await spoil((key) => redis.xdel(key, "3-0", "4-0"))).toEqual(["cut 3-4", "missing 3-4"]);
  expect(await spoil((key) => redis.del(key))).toEqual(["cut 1-4", "missing 1-4"]);
  expect(await spoil((key) => redis.xtrim(key, "MAXLEN", 2))).toEqual(["missing 1-2", "missing 1-2"]);
  // Without the head the end can be cut off, unless a storage knows better.
  expect(await spoil((key, head) => redis.multi().xdel(key, "4-0").del(head).exec())).toEqual(["whole", "missing 4-4"]);
  expect(await spoil((_, head) => redis.hset(head, "seq", 2))).toEqual(["rewritten 2-2", "whole"]);
});

test("a dangerous doing and its entry are one step", async () => {
  const keys = fixture.keys();
  const { redis } = fixture;
  const audit = new Audit(redis, keys);
  const pin = { id: "p", name: "shop", folder: "shop/1/", run: "r1", pinned: true, by: bob, at };
  await new Pins(redis, keys).create(pin, ["local", "offsite"]);
  expect((await new Pins(redis, keys).read("shop/1/"))?.waiting.map(({ storage }) => storage)).toEqual([
    "local",
    "offsite",
  ]);
  const links = new Links(redis, keys);
  const link = { ...pin, id: "l", storage: "offsite", locale: "en", chatId: 5 } as const;
  expect([await links.create(link), await links.create(link)]).toEqual([true, false]);
  const url = "https://example.org/?signature=secret";
  await links.answer(link, { files: [{ file: "a", url }], more: 0, encrypted: true, until: at }, "db-1", now);
  const silences = new Silences(redis, keys);
  const silence = {
    id: "s",
    matchers: [{ label: "env", operator: "=", value: "prod" } as const],
    by: alice,
    reason: "deploying",
    createdAt: at,
    until: "2026-03-01T02:00:00.000Z",
  };
  expect([await silences.create(silence), await silences.create(silence)]).toEqual([true, false]);
  await silences.end({ ...silence, until: at }, bob);
  const prunes = new Prunes(redis, keys, new Cards(redis, keys));
  const question = {
    id: "q",
    name: "shop",
    storage: "local",
    location: "here",
    status: "asked",
    askedAt: at,
    folders: ["a", "b"],
    oldest: at,
    newest: at,
  } as unknown as PruneQuestion;
  await prunes.create(question, now);
  const config = { ...approvalsConfig({}), backups: [], storages: {} } as unknown as Config;
  const { producer, logger, cards } = parts(keys);
  const questions = new PruneQuestions({ config, clock: { now: () => now }, logger, cards, prunes, producer });
  await questions.answer("q", "confirmed", alice);
  await questions.answer("q", "cancelled", bob);
  await producer.close();
  const told = (await audit.newest(20))
    .toReversed()
    .map(({ about, what, target, by }) => [about, what, target, by?.name]);
  expect(told).toEqual([
    ["pin", "pinned", "shop", "bob"],
    ["link", "link-ordered", "shop", "bob"],
    ["link", "link-made", "shop", "bob"],
    ["silence", "silenced", "env=prod", "alice"],
    ["silence", "unsilenced", "env=prod", "bob"],
    ["prune", "removal-agreed", "shop", "alice"],
  ]);
  expect(JSON.stringify(await audit.newest(20))).not.toContain("signature");
  expect((await verdict(audit)).flaw).toBeUndefined();
});

test("an order that is not taken is on record with the reason, the same once an hour", async () => {
  const keys = fixture.keys();
  const clock = new ManualClock();
  const node = (policies: object) => approvalsNode(fixture.redis, keys, { config: approvalsConfig(policies), clock });
  const made = [node({}), node({ restore: { approvers: 5 } })];
  const [usual, impossible] = made.map(({ approvals }) => approvals);
  await usual?.request(order());
  for (let index = 0; index < 3; index++) {
    await expect(usual?.request(order())).rejects.toThrow(/is asked for by/);
    await expect(usual?.request(order({ requestedBy: person("vera") }))).rejects.toThrow(/may not ask/);
    await expect(impossible?.request(order({ target: "billing" }))).rejects.toThrow(/approvals are needed/);
  }
  const { requestedBy: _, ...ofTheProgram } = order();
  await expect(usual?.request(ofTheProgram)).rejects.toThrow(/is asked for by/);
  for (const { producer } of made) await producer.close();
  const told = (await new Audit(fixture.redis, keys).newest(9)).toReversed();
  expect(told.map(({ what, by, target, why }) => [what, by?.name, target, why])).toEqual([
    ["requested", "alice", "shop", undefined],
    ["refused", "alice", "shop", "request: asked"],
    ["refused", "vera", "shop", "request: requester"],
    ["refused", "alice", "billing", "request: impossible"],
  ]);
});

test("no secret gets into it", async () => {
  registerSecret("correct-horse-battery");
  const audit = new Audit(fixture.redis, fixture.keys());
  await audit.append(anEntry('the password is "correct-horse-battery"'));
  expect((await audit.newest(1))[0]?.why).not.toContain("correct-horse");
  expect((await verdict(audit)).flaw).toBeUndefined();
});

test("a stranger makes one entry an hour, however often", async () => {
  const keys = fixture.keys();
  const audit = new Audit(fixture.redis, keys);
  const strangers = new Strangers(fixture.redis, keys);
  const clock = new ManualClock(at);
  const eve = { id: 666, name: "Eve" };
  for (let index = 0; index < 50; index++) {
    await strangers.count({ by: eve, what: "press", chatId: -1001 }, clock.now());
    await strangers.count({ by: eve, what: "command", chatId: 666, tried: "/restore" }, clock.now());
    clock.advance(60_000);
    await strangers.record(clock.now());
  }
  expect(await audit.newest(10)).toEqual([]);
  expect(await strangers.pending()).toMatchObject([{ by: eve, presses: 50, commands: 50 }]);
  clock.advance(10 * 60_000);
  expect([await strangers.record(clock.now()), await strangers.record(clock.now())]).toEqual([1, 0]);
  expect(await audit.newest(10)).toMatchObject([
    {
      about: "stranger",
      what: "turned-away",
      by: eve,
      why: "/restore",
      count: 100,
      details: { presses: 50, commands: 50, first: at, last: "2026-03-01T00:49:00.000Z", chat: -1001 },
    },
  ]);
  // Begins anew.
  await strangers.count({ by: eve, what: "press", chatId: -1001 }, clock.now());
  expect(await strangers.record(clock.now())).toBe(0);
});

test("a crowd of strangers makes no more entries than can be read", async () => {
  const keys = fixture.keys();
  const strangers = new Strangers(fixture.redis, keys);
  for (let id = 1; id <= 150; id++) await strangers.count({ by: { id, name: "bot" }, what: "press", chatId: -1 }, now);
  expect(await strangers.record(new Date(now.getTime() + hour))).toBe(101);
  const all = await new Audit(fixture.redis, keys).newest(200);
  expect(all.find(({ what }) => what === "turned-away-others")).toMatchObject({ count: 50 });
});

test("a page is filled by those that match, in both directions, and says how to go on", async () => {
  const audit = new Audit(fixture.redis, fixture.keys());
  for (let index = 1; index <= 30; index++)
    await audit.append({ ...anEntry(String(index)), by: people[index % 3] ?? alice });
  const matches = ({ by }: AuditEntry): boolean => by?.id === alice.id;
  const seqs = async (query: object) => {
    const { entries, next } = await audit.page({ limit: 4, most: 1000, ...query });
    return [entries.map(({ seq }) => seq), next];
  };
  expect(await seqs({})).toEqual([[30, 29, 28, 27], 27]);
  expect(await seqs({ before: 27 })).toEqual([[26, 25, 24, 23], 23]);
  expect(await seqs({ before: 5 })).toEqual([[4, 3, 2, 1], undefined]);
  expect(await seqs({ matches })).toEqual([[30, 27, 24, 21], 19]);
  expect(await seqs({ matches, before: 19 })).toEqual([[18, 15, 12, 9], 7]);
  expect(await seqs({ matches, after: 18 })).toEqual([[30, 27, 24, 21], undefined]);
  expect(await seqs({ matches, after: 9 })).toEqual([[21, 18, 15, 12], 23]);
  // It does not look through everything for one page.
  expect(await seqs({ matches: () => false, most: 10 })).toEqual([[], 21]);
});

test("three hundred thousand entries take no more memory than a few", { timeout: 120_000 }, async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used: number[] = [];
  const records = async function* () {
    let prev = genesis;
    for (let seq = 1; seq <= 300_000; seq++) {
      const text = `{"about":"approval","at":"${at}","what":"approved","why":"${seq}"}`;
      const hash = chainHash(seq, prev, text);
      yield { seq, text, prev, hash };
      prev = hash;
    }
  };
  const onEntries = (count: number): void => {
    if (count % 50_000 !== 0) return;
    collect();
    used.push(process.memoryUsage().heapUsed);
  };
  const { flaw, sum } = await verifyChain(records(), [], { isPart: false, onEntries });
  expect([flaw, sum.entries]).toEqual([undefined, 300_000]);
  expect((used.at(-1) ?? 0) - (used[0] ?? 0)).toBeLessThan(2 * 1024 ** 2);
});

test("a text is the same however its keys came", () => {
  expect(canonical({ b: [{ d: 1, c: 2 }], a: "x" })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
});
