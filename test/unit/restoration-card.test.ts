import { describe, expect, test } from "vitest";
import { restorationCard } from "../../src/bot/cards/restoration.ts";
import type { Rendering } from "../../src/bot/cards/types.ts";
import { shorten, textLength } from "../../src/bot/html.ts";
import type { Preflight, Restoration, RestorationPhase } from "../../src/core/restoration.ts";
import { restorationPhases } from "../../src/core/restoration.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import { refusalOf } from "../../src/services/restorations/refusals.ts";
import type { Restorations } from "../../src/services/restorations/restorations.ts";

const now = new Date("2026-03-01T12:00:00.000Z");
const alice = { id: 111, name: "alice" };
const bob = { id: 222, name: "bob" };
const restore = { keep: 86_400_000, backup: "required", stop: [["systemctl", "stop", "shop"]], start: [], timeout: 1 };
const approvals = { restore: { role: "admin" } };
const telegram = {
  users: [
    { ...alice, role: "operator" },
    { ...bob, role: "operator" },
  ],
};

const kind = restorationCard({
  config: { backups: [{ name: "shop", restore }] } as never,
  restorations: {
    isServed: () => false,
    refusal: (restoration: Restoration, what: never, by: never) =>
      refusalOf({ approvals, telegram } as never, restoration, what, by, now),
  } as unknown as Restorations,
});

const preflight: Preflight = {
  identity: { system: "7", database: "16384" },
  database: "shop",
  sameSystem: true,
  facts: { PostgreSQL: "15.18", pg_restore: "17.2" },
  liveBytes: 2e9,
  neededBytes: 2.1e9,
  freeBytes: 30e9,
  sessions: [
    { user: "app", application: "puma", count: 12, endable: true },
    { user: "bob", application: "psql", count: 1, endable: true },
  ],
  missingRoles: [],
  missingExtensions: [],
  otherVersions: [],
  lost: [
    { what: "public.orders", backup: 11_000, live: 12_204, exact: true },
    { what: "public.audit", live: 40, exact: false },
  ],
  lostTotal: 9,
  unit: "rows",
  method: "beside",
  wayBack: "kept",
  jobs: 1,
  remarks: [],
  obstacles: [],
  at: "2026-03-01T11:58:00.000Z",
  host: "db-1",
  storage: "offsite",
  location: "s3://backups/prod",
  passedOver: [{ storage: "local", reason: { key: "restoration-passed-unsound" } }],
  bytes: 4e8,
  unpackedBytes: 2e9,
  proof: { depth: "restored", at: "2026-03-01T04:00:00.000Z" },
  estimate: { totalMs: 72_000, backupMs: 20_000, measured: 3 },
};

function aRestoration(parts: Partial<Restoration> = {}): Restoration {
  return {
    id: "a25c593dc4e6",
    name: "shop",
    kind: "postgres",
    backup: "0f3a0f3a0f3a",
    folder: "shop/20260301T030000Z-0f3a0f3a0f3a/",
    backupAt: "2026-03-01T03:00:00.000Z",
    place: "in-place",
    requestedBy: alice,
    chat: { chatId: -1 },
    status: "ready",
    phase: "waiting",
    createdAt: "2026-03-01T11:57:00.000Z",
    attempt: 0,
    fence: 0,
    preflight,
    ...parts,
  };
}

const result = {
  restoreMs: 50_000,
  compared: { rows: 11_224, tables: 2 },
  differences: [],
  differencesTotal: 0,
  swap: { refusedMs: 120, sessionsEnded: 13 },
  rtoMs: 75_000,
};
const error = { code: "tool-failed", message: "pg_restore ended with 1", step: "restore", stderr: "ERROR: <no> room" };
const running = (phase: RestorationPhase, parts: Partial<Restoration> = {}): Restoration =>
  aRestoration({ status: "running", phase, startedAt: "2026-03-01T11:59:30.000Z", attempt: 1, ...parts });
const done = (parts: Partial<Restoration> = {}): Restoration =>
  aRestoration({
    status: "done",
    phase: "record",
    former: "beefbeefbeef",
    startedAt: "2026-03-01T11:58:30.000Z",
    finishedAt: "2026-03-01T11:59:45.000Z",
    result,
    undo: { until: "2026-03-02T11:59:45.000Z" },
    ...parts,
  });

function render(restoration: Restoration, locale: Locale = "en", workers?: ReadonlySet<string>): Rendering {
  const context = { messages: messagesOf(locale), timezone: "UTC", now, ...(workers ? { workers } : {}) };
  return kind.render(restoration, context);
}

const read = (restoration: Restoration, locale: Locale = "en"): string =>
  parseHtml(render(restoration, locale).html).text.replaceAll(/[\u00a0\u202f]/g, " ");
const actions = (restoration: Restoration): string[] =>
  render(restoration)
    .buttons.flat()
    .map(({ action }) => action);

describe("what would happen", () => {
  test("is shown with what matters most first, the rest folded away", () => {
    const text = read(aRestoration());
    expect(text).toMatch(
      /^⚠️ Restore shop\?\n\nBackup of 1 Mar 2026, 03:00, 9h old\n→ in the place of shop, PostgreSQL 15\.18/,
    );
    expect(text).toContain("Will be lost: everything written in the last 9h.");
    expect(text).toContain(
      "• public.orders: +1,204 rows (12,204 now, 11,000 in the backup)\n• public.audit: 40 rows\n… and 7 more",
    );
    expect(text).toContain("an estimate");
    expect(text).toContain("Takes about 1m 12s, 20s of it for the backup made before; by 3 measured restores");
    expect(text).toContain("13 connections will be ended: app puma ×12, bob psql ×1");
    expect(text).toContain("kept aside for 1d: until then Undo brings it back");
    expect(text).toContain("Proven: test-restored and counted, 1 Mar 2026, 04:00");
    expect(text).toContain("Read from offsite s3://backups/prod\nNot from local: it is known not to be whole");
    const { entities } = parseHtml(render(aRestoration()).html);
    const folded = entities.find(({ type }) => type === "expandable_blockquote");
    expect(
      parseHtml(render(aRestoration()).html).text.slice(folded?.offset, (folded?.offset ?? 0) + (folded?.length ?? 0)),
    ).toMatch(
      /Disk: 30 GB free, 2\.1 GB needed beside 2 GB\nVersions: PostgreSQL 15\.18, pg_restore 17\.2\nRoles: all/,
    );
    expect(actions(aRestoration())).toEqual(["confirm", "cancel", "again"]);
  });

  test("says what is not known instead of a number", () => {
    const { estimate: _, proof: __, freeBytes: ___, ...rest } = preflight;
    const text = read(
      aRestoration({ preflight: { ...rest, lost: [], lostTotal: 0, sameSystem: false, sessions: [] } }),
    );
    expect(text).toContain("How long it takes is not known");
    expect(text).toContain("Not proven");
    expect(text).toContain("what is free can not be seen from here");
    expect(text).toContain("The backup is of another server");
    expect(text).toContain("what was altered is not seen by counting");
    expect(text).toContain("Nobody is connected now");
  });

  test("refused says each reason and offers the other way", () => {
    const obstacles = [{ key: "replace-obstacle-createdb", args: { database: "shop", user: "app" } }];
    const refused = aRestoration({
      status: "refused",
      preflight: { ...preflight, obstacles, alternative: "single-transaction" },
    });
    expect(read(refused)).toMatch(
      /not possible like this[\s\S]*What stands in the way\n• user app may not make a database/,
    );
    expect(actions(refused)).toEqual(["again", "method"]);
    expect(
      render(refused)
        .buttons.flat()
        .map(({ label }) => label),
    ).toContain("Instead: all in one transaction");
  });

  test("beside what is live loses nothing and says so", () => {
    const beside = aRestoration({
      place: "beside",
      to: "shop_2",
      preflight: { ...preflight, database: "shop_2", lost: [], lostTotal: 0 },
    });
    expect(read(beside)).toContain("→ beside what is live, as shop_2");
    expect(read(beside)).toContain("What is live is not touched: nothing is lost.");
    expect(read(beside)).not.toMatch(/Will be lost|Undo|connection will/);
  });

  test("is not confirmed any more when its time is over", () => {
    expect(actions(aRestoration({ expiresAt: "2026-03-01T12:00:00.000Z" }))).toEqual(["again"]);
  });
});

describe("under way", () => {
  test("each phase is ticked off, with bytes, tables and what is left", () => {
    const progress = { bytes: 1e8, total: 4e8, done: 3, of: 12, what: "tables", at: now.toISOString() };
    const text = read(running("restore", { progress }));
    expect(text).toContain(
      "✓ back up what is live, and pin it\n▶ restore beside, compare\n▫ stop the services\n▫ exchange\n▫ check and record",
    );
    expect(text).toContain("Read: 100 MB of 400 MB (25 %)\nTables: 3 of 12\nElapsed: 30s, about 42s to go");
    expect(actions(running("restore"))).toEqual(["cancel"]);
  });

  test("it can be cancelled until the exchange", () => {
    const can = restorationPhases.filter((phase) => actions(running(phase)).includes("cancel"));
    expect(can).toEqual(["waiting", "preflight", "check", "backup", "restore", "stop"]);
    expect(kind.refusal?.(running("swap"), "cancel", messagesOf("en"))).toContain("Too late");
    expect(actions(running("restore", { cancelRequestedBy: bob }))).toEqual([]);
  });

  test("says that a worker was lost and what was found of its work", () => {
    const text = read(running("check", { attempt: 2, interruptedIn: "restore", recovered: "rolled-back" }));
    expect(text).toContain("A worker was lost at “restore beside, compare”: what was half made was removed. Attempt 2");
  });
});

describe("the end", () => {
  test("says of connections only where there are any, and what was counted as of then", () => {
    const live = { ...preflight, lost: [{ what: "db0", backup: 10, live: 12, exact: true }], lostTotal: 1 };
    const redis = { ...live, unit: "keys", wayBack: "former", facts: { Redis: "7" } } as const;
    const before = read(aRestoration({ kind: "redis", preflight: redis }));
    expect(before).not.toMatch(/connection/);
    expect(before).toContain("+2 keys (12 now, 10 in the backup)");
    const text = read(
      done({ kind: "redis", preflight: redis, result: { ...result, swap: { refusedMs: 160, sessionsEnded: 0 } } }),
    );
    expect(text).toContain("+2 keys (12 before, 10 in the backup)");
    expect(text).toContain("it could not be read for 160 ms");
    expect(text).not.toMatch(/connection/);
    const over = { until: "2026-03-02T11:59:45.000Z", droppedAt: "2026-03-02T12:00:00.000Z" };
    const dropped = read(done({ kind: "redis", preflight: redis, undo: over }));
    expect(dropped).toContain("Undo is over since 2 Mar 2026, 12:00");
    expect(dropped).not.toMatch(/The old one was dropped|beefbeefbeef, pinned/);
    const objects = { ...live, unit: "objects", wayBack: "versions", facts: {} } as const;
    const photos = read(
      done({ kind: "s3", preflight: objects, result: { ...result, swap: { refusedMs: 0, sessionsEnded: 0 } } }),
    );
    expect(photos).not.toMatch(/connection|then the old one is dropped/);
    expect(photos).toContain("while the store keeps the older versions");
  });

  test("names the one database, and what is beside as such", () => {
    expect(read(done({ only: "app" }))).toMatch(/^✅ shop\/app is restored/);
    const text = read(
      done({ place: "beside", to: "shop_then", preflight: { ...preflight, database: "shop_then", liveBytes: 0 } }),
    );
    expect(text).toMatch(/^✅ shop is restored beside what is live/);
    expect(read(aRestoration({ place: "beside", preflight: { ...preflight, liveBytes: 0 } }))).not.toMatch(
      /needed beside|exchanged by name/,
    );
  });

  test("one that was not agreed to could have been brought back, and what was taken back is not the old one", () => {
    const said = { code: "rejected", message: "no", text: { key: "restoration-ended-rejected", args: { by: "bob" } } };
    const undo = { until: "2026-03-02T11:59:45.000Z" };
    const not = read(done({ undo: { ...undo, status: "failed", error: { ...said, step: "approval" } } }));
    expect(not).toContain("The old one was not brought back: bob said no");
    const taken = done({ status: "undone", undo: { ...undo, status: "done", droppedAt: "2026-03-02T12:00:00.000Z" } });
    expect(read(taken)).toContain("What had been restored was dropped, 2 Mar 2026, 12:00");
    expect(read(taken)).not.toMatch(/The old one was dropped|, pinned/);
  });

  test("says what was restored, its cost, and the way back; and rings", () => {
    const text = read(done());
    expect(text).toContain("Restored and compared with the backup: 11,224 rows in 2 tables");
    expect(text).toContain("RTO: 1m 15s, from the beginning until it was live; 50s of it for restoring");
    expect(text).toContain("13 connections were ended; connections were refused for 120 ms");
    expect(text).toContain("Was lost: everything written between the backup and 1 Mar 2026, 11:58");
    expect(text).toContain("Undo until 2 Mar 2026, 11:59");
    expect(text).toContain("Backup made right before: run beefbeefbeef, pinned");
    expect(actions(done())).toEqual(["undo", "keep"]);
    expect(render(done()).raise).toBe("done");
  });

  test("the way back: who wants it, what it would lose, that it is over", () => {
    const undo = { until: "2026-03-02T11:59:45.000Z", by: bob };
    const changes = {
      changed: [{ what: "public.orders", written: 5, gone: 2 }],
      changedTotal: 1,
      unit: "rows" as const,
      written: 5,
      gone: 2,
    };
    expect(read(done({ undo: { ...undo, status: "looking" } }))).toContain("bob wants the old one back");
    const asked = read(done({ undo: { ...undo, status: "asked", approval: "feed", changes } }));
    expect(asked).toMatch(
      /approval feed; nothing has been changed yet\.\nWould be lost by it: 5 rows written since; 2 rows that were restored would be as before again\n• public\.orders: 7 rows/,
    );
    const nothing = { ...changes, changed: [], changedTotal: 0, written: 0, gone: 0 };
    expect(read(done({ undo: { ...undo, status: "asked", changes: nothing } }))).toContain(
      "nothing would be lost by it",
    );
    expect(actions(done({ undo: { ...undo, status: "asked" } }))).toEqual([]);
    const failed = done({ undo: { ...undo, status: "failed", error } });
    expect(read(failed)).toContain("could not be brought back: pg_restore ended with 1");
    expect(actions(failed)).toEqual(["undo", "keep"]);
    const dropped = done({ undo: { until: undo.until, droppedAt: "2026-03-02T12:00:00.000Z" } });
    expect(read(dropped)).toContain(
      "The old one was dropped, 2 Mar 2026, 12:00.\nBackup made right before: run beefbeefbeef, no longer pinned",
    );
    expect(actions(dropped)).toEqual([]);
    const undone = done({ status: "undone", undo: { ...undo, status: "done", report: { ...result.swap, changes } } });
    expect(read(undone)).toMatch(
      /bob has brought back what was live before[\s\S]*not live any more: 5 rows[\s\S]*kept aside until 2 Mar/,
    );
  });

  test("what a person has to do after a swap or after taking it back is said", () => {
    const swap = { ...result.swap, remarks: [{ key: "error-redis-persist" }] };
    const said = /not on its disk|could not save/;
    expect(read(done({ result: { ...result, swap } }))).toMatch(said);
    const undo = { by: bob, status: "done", report: swap } as const;
    expect(read(done({ status: "undone", undo }))).toMatch(said);
    expect(read(done())).not.toMatch(said);
  });

  test("a failure says in which phase, why, and what is live: never more than is known", () => {
    const failed = (phase: RestorationPhase, parts: Partial<Restoration> = {}) =>
      read(aRestoration({ status: "failed", phase, error, ...parts }));
    expect(failed("restore")).toMatch(
      /It failed at: restore beside, compare\npg_restore ended with 1\nERROR: <no> room\n\nWhat is live was not changed\./,
    );
    expect(failed("restore", { cleanUp: true })).toContain("still to be removed");
    expect(failed("restore", { cleanUp: true })).toContain("What is live was not changed.");
    expect(failed("swap")).toContain("What was live before is live.");
    expect(failed("swap", { cleanUp: true })).toMatch(/cannot be told from here: look at shop[\s\S]*runbook/);
    expect(failed("stop", { programs: "owed" })).toMatch(/services may have been stopped[\s\S]*not been started again/);
    expect(failed("swap", { cleanUp: true })).not.toContain("not changed");
    expect(failed("waiting")).not.toContain("failed at");
    expect(failed("restore", { former: "beefbeefbeef" })).toContain("run beefbeefbeef, no longer pinned");
    expect(failed("restore", { former: "beefbeefbeef", cleanUp: true })).toMatch(/run beefbeefbeef, pinned/);
    const differences = [{ what: "public.orders", expected: "224", found: "220" }];
    expect(failed("restore", { result: { ...result, differences, differencesTotal: 1 } })).toContain("public.orders");
  });

  test("cancelled, rejected and expired say that nothing was changed", () => {
    const cancelled = aRestoration({ status: "cancelled", cancelRequestedBy: bob });
    expect(read(cancelled)).toContain("Cancelled by bob.\nWhat is live was not changed.");
    const rejected = aRestoration({
      status: "cancelled",
      cancelRequestedBy: bob,
      error: { ...error, message: "bob said no" },
    });
    expect(read(rejected)).toContain("bob said no");
    expect(read(aRestoration({ status: "expired" }))).toContain("Nothing was changed.");
    expect(actions(cancelled)).toEqual(["again"]);
  });
});

describe("presses", () => {
  test("only who has asked, or an admin, confirms; others are told", async () => {
    const { confirm } = kind.actions;
    expect(await confirm?.toast(aRestoration(), messagesOf("en"), bob)).toContain("alice has asked for it");
    expect(await confirm?.toast(aRestoration(), messagesOf("en"), alice)).toContain("Type the name");
    const { keep } = kind.actions;
    expect(await keep?.toast(done(), messagesOf("en"), alice)).toContain("admin");
  });
});

/** One of everything, with names and reasons as long and as odd as they come. */
const everything: readonly Restoration[] = (() => {
  const odd = "<b>&\"'\u202E".repeat(200);
  const texts = Array.from({ length: 40 }, (_, index) => ({
    key: "replace-obstacle-sessions",
    args: { database: `d${index}`, list: odd },
  }));
  const lost = Array.from({ length: 30 }, (_, index) => ({
    what: `${odd}${index}`,
    backup: 1,
    live: 2 + index,
    exact: false,
  }));
  const large: Preflight = {
    ...preflight,
    lost,
    lostTotal: 300,
    remarks: texts,
    obstacles: texts,
    sessions: lost.map(() => ({ user: odd, application: odd, count: 3, endable: true })),
    otherVersions: [odd],
    missingRoles: [odd],
    passedOver: texts.map((reason) => ({ storage: "local", reason })),
  };
  const changed = lost.map(({ what }) => ({ what, written: 1 }));
  const changes = { changed, changedTotal: 300, unit: "rows" as const, written: 300, gone: 3 };
  const long = { ...error, message: odd, stderr: odd };
  const parts: Partial<Restoration> = { preflight: large, error: long, programError: long, cleanUp: true, pick: odd };
  return [
    aRestoration({ ...parts, status: "looking" }),
    aRestoration({ ...parts, status: "refused" }),
    aRestoration({ status: "refused", error: long }),
    aRestoration({ ...parts, status: "ready", expiresAt: "2026-03-01T13:00:00.000Z" }),
    aRestoration({ ...parts, status: "asked", approval: "feed" }),
    ...restorationPhases.map((phase) =>
      running(phase, { ...parts, attempt: 2, interruptedIn: phase, recovered: "prepared" }),
    ),
    done({ ...parts, undo: { status: "asked", by: bob, changes } }),
    done({ ...parts, undo: { status: "failed", error: long, dropError: long } }),
    done({ ...parts, place: "beside" }),
    aRestoration({ ...parts, status: "undoing", undo: { by: bob, status: "running", changes } }),
    done({ ...parts, status: "undone", undo: { by: bob, status: "done", report: { ...result.swap, changes } } }),
    aRestoration({ ...parts, status: "failed", phase: "swap" }),
    aRestoration({ ...parts, status: "cancelled", cancelRequestedBy: bob }),
    aRestoration({ ...parts, status: "expired" }),
  ];
})();

describe.each(locales)("in %s", (locale) => {
  test("every state is valid HTML that fits when it is shortened", () => {
    for (const restoration of everything) {
      const { html, title } = render(restoration, locale, new Set());
      const { html: fit } = shorten(html, "…");
      expect(() => parseHtml(html)).not.toThrow();
      expect(() => parseHtml(fit)).not.toThrow();
      expect(textLength(fit)).toBeLessThanOrEqual(4096);
      expect(html).not.toMatch(/restor(?:e|ation)-[a-z-]+/);
      expect(title).toContain("shop");
    }
  });

  test("an ordinary one fits whole", () => {
    for (const restoration of [aRestoration(), done(), running("restore")])
      expect(textLength(render(restoration, locale).html)).toBeLessThan(2500);
  });
});
