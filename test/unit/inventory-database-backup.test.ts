import { describe, expect, test } from "vitest";
import {
  afterLook,
  appearsWithinMs,
  backupOfOrder,
  type DatabaseBackup,
  endsWithinMs,
  lookForMs,
  nextAfterUnclear,
} from "../../src/core/database-backup.ts";
import type { ProviderBackup } from "../../src/core/managed.ts";

const start = Date.parse("2026-03-01T12:00:00Z");
const at = (ms: number): Date => new Date(start + ms);
const order = (change: Partial<DatabaseBackup> = {}): DatabaseBackup => ({
  id: "a1",
  status: "ordering",
  account: "timeweb",
  database: { id: "7", name: "shop", type: "postgres16" },
  createdAt: at(0).toISOString(),
  comment: "vakhta a1",
  before: ["1"],
  asked: [at(0).toISOString()],
  ...change,
});
const backup = (id: string, change: Partial<ProviderBackup> = {}): ProviderBackup => ({
  id,
  at: at(0),
  status: "making",
  progress: 10,
  ...change,
});
const taken = { status: "making", takenAt: at(0).toISOString() } as const;

describe("which backup came of an order", () => {
  const old = backup("1", { status: "done" });
  test("is known by its id, else by the comment", () => {
    const named = order({ ...taken, backup: { id: "9", status: "making" } });
    expect(backupOfOrder(named, [old, backup("9")])?.id).toBe("9");
    expect(backupOfOrder(order(), [old, backup("2"), backup("3", { comment: "vakhta a1" })])?.id).toBe("3");
    expect(backupOfOrder(order(), [old, backup("2")])).toBeUndefined();
  });

  test("is the only new one when the provider has taken the order and named none", () => {
    expect(backupOfOrder(order(taken), [old, backup("2")])?.id).toBe("2");
    // Whose they are nobody can tell, and somebody else's is not ours.
    expect(backupOfOrder(order(taken), [old, backup("2"), backup("3")])).toBeUndefined();
    expect(backupOfOrder(order(taken), [old, backup("2", { comment: "by hand" })])).toBeUndefined();
  });
});

describe("a request that was not answered", () => {
  test("is looked for, repeated once, and then given up", () => {
    const once = order();
    expect(nextAfterUnclear(once, at(lookForMs - 1))).toBe("look-again");
    expect(nextAfterUnclear(once, at(lookForMs))).toBe("ask-again");
    const twice = order({ asked: [at(0).toISOString(), at(lookForMs).toISOString()] });
    expect(nextAfterUnclear(twice, at(lookForMs + 1))).toBe("look-again");
    expect(nextAfterUnclear(twice, at(2 * lookForMs))).toBe("give-up");
    // The clock was set back: nobody asks again at once.
    expect(nextAfterUnclear(once, at(-3_600_000))).toBe("look-again");
  });
});

describe("a look at the list", () => {
  test("brings progress, and the end", () => {
    const mine = { comment: "vakhta a1" };
    const making = afterLook(order(), [backup("2", mine)], at(1000));
    expect(making).toMatchObject({ status: "making", takenAt: at(1000).toISOString(), backup: { progress: 10 } });
    expect(afterLook(making, [backup("2", mine)], at(2000))).toBe(making);
    const done = afterLook(making, [backup("2", { ...mine, status: "done", bytes: 5, progress: 100 })], at(3000));
    expect(done).toMatchObject({ status: "done", backup: { bytes: 5 }, endedAt: at(3000).toISOString() });
    expect(afterLook(done, [], at(4000))).toBe(done);
    expect(afterLook(making, [backup("2", { status: "failed" })], at(3000)).status).toBe("failed");
    // Somebody has removed it meanwhile.
    expect(afterLook(making, [], at(3000))).toMatchObject({ status: "failed", error: { code: "not-found" } });
  });

  test("in vain says nothing of what was not answered, and gives up in the end what was", () => {
    const unanswered = order();
    expect(afterLook(unanswered, [backup("1")], at(10))).toBe(unanswered);
    const waiting = order(taken);
    expect(afterLook(waiting, [], at(appearsWithinMs))).toBe(waiting);
    expect(afterLook(waiting, [], at(appearsWithinMs + 1)).status).toBe("unclear");
    const forever = afterLook(waiting, [backup("2")], at(endsWithinMs + 1));
    expect(forever.status).toBe("unclear");
  });

  test("ends that it could not be looked at", () => {
    const unseen = { since: at(0).toISOString(), error: { code: "provider-unreachable", message: "no answer" } };
    const seen = afterLook(order({ ...taken, unseen }), [backup("2")], at(5));
    expect(seen.unseen).toBeUndefined();
    expect(afterLook(order({ ...taken, unseen }), [], at(5))).not.toHaveProperty("unseen");
  });
});
