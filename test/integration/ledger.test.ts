import { describe, expect, test } from "vitest";
import type { DatabaseBackup } from "../../src/core/database-backup.ts";
import type { PowerOrder } from "../../src/core/power.ts";
import type { Restoration } from "../../src/core/restoration.ts";
import type { Cards } from "../../src/state/cards.ts";
import { DatabaseBackups } from "../../src/state/database-backups.ts";
import { Drills } from "../../src/state/drills.ts";
import { PowerStates } from "../../src/state/power.ts";
import type { Keys, Redis } from "../../src/state/redis.ts";
import { RestorationStates } from "../../src/state/restorations.ts";
import { Runs } from "../../src/state/runs.ts";
import { Verifications } from "../../src/state/verifications.ts";
import { aDrill, aVerification } from "../support/drill.ts";
import { aManifest, aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const at = (minute: number): Date => new Date(Date.parse("2026-03-01T03:00:00Z") + minute * 60_000);

/** One kind of ledger: what its entries and keys are, and how it is used whatever it is. */
interface Subject {
  create(id: string, now: Date): Promise<boolean>;
  settle(id: string, now: Date): Promise<unknown>;
  unsettled(): Promise<readonly { readonly id: string }[]>;
  prune(): Promise<unknown>;
}
type Make = (redis: Redis, keys: Keys, cards: Cards) => Subject;

const shop = { name: "shop" };
const makes: readonly (readonly [card: string, index: string, unsettled: string, keep: number, make: Make])[] = [
  [
    "backup",
    "runs:shop",
    "runs-active",
    200,
    (...how) => {
      const all = new Runs(...how);
      return {
        create: (id, now) => all.create(aRun({ ...shop, id }), now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "failed" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune("shop"),
      };
    },
  ],
  [
    "verify",
    "verifications:shop",
    "verifications-active",
    100,
    (...how) => {
      const all = new Verifications(...how);
      return {
        create: (id, now) => all.create(aVerification({ ...shop, id, status: "queued" }), now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "passed" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune("shop"),
      };
    },
  ],
  [
    "drill",
    "drills",
    "drills-active",
    26,
    (...how) => {
      const all = new Drills(...how);
      return {
        create: (id, now) => all.create(aDrill({ id }), now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "passed" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune(),
      };
    },
  ],
  [
    "restoration",
    "restorations:shop",
    "restorations-open",
    100,
    (...how) => {
      const all = new RestorationStates(...how);
      return {
        create: (id, now) => all.create({ ...shop, id, status: "ready" } as Restoration, now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "failed" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune("shop"),
      };
    },
  ],
  [
    "power",
    "power-orders",
    "power-open",
    500,
    (...how) => {
      const all = new PowerStates(...how);
      return {
        create: (id, now) => all.create({ id, server: "db-1", status: "ready" } as PowerOrder, now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "failed" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune(),
      };
    },
  ],
  [
    "database-backup",
    "database-backups",
    "database-backups-open",
    200,
    (...how) => {
      const all = new DatabaseBackups(...how);
      return {
        create: (id, now) => all.create({ id, status: "making" } as DatabaseBackup, now),
        settle: (id, now) => all.update(id, "reply", now, (one) => ({ ...one, status: "done" })),
        unsettled: () => all.unsettled(),
        prune: () => all.prune(),
      };
    },
  ],
];

describe.each(makes)("entries behind the card %s", (card, index, unsettled, keep, make) => {
  function start() {
    const keys = fixture.keys();
    const cards = fixture.cards(keys);
    return { keys, cards, subject: make(fixture.redis, keys, cards) };
  }

  test("lie where other versions of the program find them", async () => {
    const { keys, subject } = start();
    await subject.create("a", at(0));
    expect(await subject.create("a", at(9))).toBe(false);
    expect(JSON.parse((await fixture.redis.hget(keys.of("card", card, "a"), "body")) ?? "")).toMatchObject({ id: "a" });
    const listed = await fixture.redis.zrevrange(keys.of(index), 0, -1, "WITHSCORES");
    expect(listed).toEqual(["a", String(at(0).getTime())]);
    expect(await fixture.redis.smembers(keys.of(unsettled))).toEqual(["a"]);
    await subject.settle("a", at(1));
    expect(await fixture.redis.exists(keys.of(unsettled))).toBe(0);
    expect(await subject.unsettled()).toEqual([]);
  });

  test("are forgotten beyond the newest ones with all that is kept of them, once they are settled", async () => {
    const { keys, cards, subject } = start();
    await subject.create("settled", at(0));
    await subject.settle("settled", at(0));
    await cards.place({ kind: card, id: "settled" }, { chatId: -1 }, "normal", at(0));
    await subject.create("waiting", at(1));
    for (let n = 0; n < keep; n++) await subject.create(`n${n}`, at(2 + n));
    await subject.prune();
    expect(await fixture.redis.zcard(keys.of(index))).toBe(keep + 1);
    expect(await fixture.redis.keys(`${keys.root}*settled*`)).toEqual([]);
    expect((await subject.unsettled()).map(({ id }) => id)).toContain("waiting");
  });
});

test("a restore that is forgotten takes its manifest along", async () => {
  const keys = fixture.keys();
  const all = new RestorationStates(fixture.redis, keys, fixture.cards(keys));
  const entry = (id: string) => ({ ...shop, id, status: "failed" }) as Restoration;
  await all.create(entry("old"), at(0));
  await all.keepManifest("old", aManifest());
  for (let n = 0; n < 100; n++) await all.create(entry(`n${n}`), at(1 + n));
  expect(await all.manifest("old")).toEqual(aManifest());
  await all.prune("shop");
  expect(await all.manifest("old")).toBeUndefined();
  expect((await all.list("shop", 200)).length).toBe(100);
});
