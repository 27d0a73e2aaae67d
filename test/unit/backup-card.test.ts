import { describe, expect, test } from "vitest";
import { backupCard } from "../../src/bot/cards/backup.ts";
import type { Rendering } from "../../src/bot/cards/types.ts";
import { shorten } from "../../src/bot/html.ts";
import { AppError, toAppError } from "../../src/core/errors.ts";
import type { BackupRun, RunCopy, RunError } from "../../src/core/run.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { BackupOrders } from "../../src/services/backup/orders.ts";
import { runError } from "../../src/services/backup/run-error.ts";
import { aManifest, aRun } from "../support/run.ts";

const orders: string[] = [];
const kind = backupCard({
  orders: {
    cancel: async (id: string) => void orders.push(`cancel ${id}`),
    retry: async (id: string) => void orders.push(`retry ${id}`),
  } as unknown as BackupOrders,
});
const now = new Date("2026-03-01T03:02:00.000Z");

function render(run: BackupRun, locale: Locale = "en"): Rendering {
  return kind.render(run, { messages: messagesOf(locale), timezone: "Europe/Moscow", now });
}

/** The card as it is read in the chat. */
function read(run: BackupRun, locale: Locale = "en"): string {
  return parseHtml(render(run, locale).html).text.replaceAll(/[\u00a0\u202f]/g, " ");
}

const actions = (run: BackupRun): string[] =>
  render(run)
    .buttons.flat()
    .map((button) => button.action);

const stored: RunCopy = { storage: "local", location: "/var/backups", local: true, status: "stored" };
const unreachable: RunError = {
  code: "storage-unreachable",
  message: "offsite does not answer",
  step: "copy to offsite",
};
const failure: RunError = {
  code: "tool-failed",
  message: "pg_dump failed",
  step: "pg_dump",
  stderr: "FATAL: no such <table> & more",
};
const succeeded = aRun({
  status: "succeeded",
  attempt: 1,
  startedAt: "2026-03-01T03:00:00.000Z",
  finishedAt: "2026-03-01T03:01:12.000Z",
  manifest: aManifest(),
  copies: [stored],
});

describe("the card of a backup run", () => {
  test.each(locales)("is Telegram's HTML in every state and in %s, whatever the names contain", (locale) => {
    const nasty = '<b>&"</pre>🕓';
    const states: BackupRun[] = [
      aRun(),
      aRun({ waitsFor: nasty }),
      aRun({ interruptedIn: "dump" }),
      aRun({
        status: "running",
        phase: "dump",
        attempt: 2,
        interruptedIn: "preflight",
        sourceTitle: { key: "source-title-postgres", args: { version: nasty, database: nasty } },
        startedAt: "2026-03-01T03:00:00.000Z",
        progress: { at: now.toISOString(), bytes: 5e6, rawBytes: 2e7, expectedRawBytes: 1e9 },
      }),
      aRun({ status: "running", cancelRequestedBy: { id: 1, name: nasty } }),
      { ...succeeded, name: nasty, encrypted: true },
      {
        ...succeeded,
        status: "degraded",
        copies: [
          stored,
          {
            ...stored,
            storage: nasty,
            location: nasty,
            status: "retrying",
            tries: 3,
            retryAt: "2026-03-01T03:05:00.000Z",
            error: { ...unreachable, message: nasty },
          },
        ],
      },
      {
        ...succeeded,
        status: "degraded",
        copies: [{ ...stored, status: "missing", error: { ...unreachable, message: nasty } }],
      },
      aRun({ status: "failed", error: { ...failure, message: nasty, step: nasty, stderr: nasty.repeat(50) } }),
      aRun({ status: "cancelled", cancelRequestedBy: { id: 1, name: nasty } }),
    ];
    for (const run of states) {
      const text = read({ ...run, name: nasty, requestedBy: { id: 111, name: nasty } }, locale);
      expect(text).toContain(nasty);
      expect(text).not.toMatch(/undefined|NaN|Invalid/);
    }
  });

  test("offers Cancel while there is something to stop, Retry when it did not succeed, else Verify", () => {
    expect(actions(aRun())).toEqual(["cancel"]);
    expect(actions(aRun({ status: "running" }))).toEqual(["cancel"]);
    expect(actions(aRun({ status: "running", cancelRequestedBy: { id: 1, name: "bob" } }))).toEqual([]);
    expect(actions(aRun({ status: "failed", error: failure }))).toEqual(["retry"]);
    expect(actions(aRun({ status: "cancelled" }))).toEqual(["retry"]);
    expect(actions(succeeded)).toEqual(["verify"]);
    expect(actions({ ...succeeded, status: "degraded" })).toEqual(["verify"]);
  });

  test("shows how deep it was proven, and a later look that did not hold first", () => {
    const proof = { host: "db-1", elapsedMs: 1, storage: "offsite" } as const;
    const restored = {
      ...proof,
      depth: "restored",
      ok: true,
      at: "2026-03-02T03:00:00.000Z",
      restoreMs: 12_000,
    } as const;
    const stored_ = { ...proof, depth: "stored", ok: true, at: "2026-03-03T03:00:00.000Z" } as const;
    const good = read({ ...succeeded, proofs: [stored_, restored] });
    expect(good).toContain("Proven 2 Mar 2026, 06:00 in offsite: test-restored and counted; the restore took 12s");
    const error = { code: "storage-mismatch", message: "k is damaged" };
    const bad = { ...proof, depth: "readable", ok: false, at: "2026-03-04T03:00:00.000Z", error } as const;
    expect(read({ ...succeeded, proofs: [restored, bad] })).toMatch(
      /Did not hold 4 Mar 2026.*k is damaged\n.*Proven 2 Mar/,
    );
  });

  test("offers Retry no longer when the run has been retried, and names the other run", () => {
    const run = aRun({ status: "failed", error: failure, retried: { run: "beef", by: { id: 222, name: "bob" } } });
    expect(actions(run)).toEqual([]);
    expect(read(run)).toContain("Retried by bob: run beef");
  });

  test("shows how far a running one is: what was read and written, how fast, for how long", () => {
    const text = read(
      aRun({
        status: "running",
        phase: "dump",
        attempt: 1,
        startedAt: "2026-03-01T03:00:00.000Z",
        progress: {
          at: "2026-03-01T03:01:40.000Z",
          bytes: 50_000_000,
          rawBytes: 200_000_000,
          expectedRawBytes: 1_000_000_000,
        },
      }),
    );
    expect(text).toContain("Backup app is running");
    expect(text).toContain("Phase: dumping, compressing, uploading");
    expect(text).toContain("Read: 200 MB of about 1 GB at 2 MB/s");
    expect(text).toContain("Written: 50 MB at 500 kB/s");
    expect(text).toContain("Elapsed: 2m");
  });

  test("shows of a finished one size, ratio, checksum, places and duration", () => {
    const text = read(succeeded);
    expect(text).toContain("Backup app is done");
    expect(text).toContain("Size: 25.6 MB, from 100 MB (1 : 3.91)");
    expect(text).toContain(`SHA-256: ${"5e".repeat(8)}…`);
    expect(text).toContain("✓ local /var/backups");
    expect(text).toContain("Took 1m 12s");
    expect(text).toContain("Asked for by alice, 1 Mar 2026, 06:00");
  });

  test("of a finished one names its folder, which a restore wants to know", () => {
    expect(read({ ...succeeded, folder: "app/20260301T030000Z-0f3a0f3a0f3a/" })).toContain(
      "Folder: app/20260301T030000Z-0f3a0f3a0f3a/",
    );
  });

  test("of a queued one says that it waits for a worker, and when there is none", () => {
    const shown = (served: boolean, host?: string): string => {
      const waiting = backupCard({
        orders: { isServed: () => served, hostOf: () => host } as unknown as BackupOrders,
      });
      const context = { messages: messagesOf("en"), timezone: "UTC", now, workers: new Set<string>() };
      return parseHtml(waiting.render(aRun(), context).html).text;
    };
    expect(shown(true)).toContain("Waiting for a worker.");
    expect(shown(false)).toContain("No worker is running: start one.");
    expect(shown(false, "db-1")).toContain("No worker is running on db-1: start one there.");
  });

  test.each([
    [1, 1, "1 строка в 1 таблице"],
    [2, 3, "2 строки в 3 таблицах"],
    [5, 11, "5 строк в 11 таблицах"],
    [21, 21, "21 строка в 21 таблице"],
  ])("counts %i rows in %i tables as Russian does", (rows, tables, expected) => {
    const counts = Object.fromEntries(
      Array.from({ length: tables }, (_, index) => [`public.t${index}`, index === 0 ? rows : 0]),
    );
    const [part] = aManifest().parts;
    const manifest = aManifest({ parts: [{ ...part, tables: counts } as never] });
    expect(read({ ...succeeded, manifest }, "ru")).toContain(expected);
  });

  test("of a failed one says which step, why, the tool's own words, what was kept and what to do", () => {
    const text = read(aRun({ status: "failed", error: failure }));
    for (const line of [
      "Step: pg_dump",
      "pg_dump failed",
      "FATAL: no such <table> & more",
      "Nothing was kept of this run",
      "What to do: mend what the lines above name",
    ])
      expect(text).toContain(line);
  });

  test("gives reasons and the source's title in the reader's language, the tool's words beside them once", () => {
    const stderr = 'psql: error: connection to server at "h", port 1 failed: FATAL:  password authentication failed';
    const error: RunError = { code: "source-refused", message: `refused: ${stderr}`, step: "psql", stderr };
    const sourceTitle = { key: "source-title-postgres", args: { version: "17.1", database: "shop" } };
    const said = aRun({ status: "failed", sourceTitle, error: { ...error, text: { key: "error-source-refused" } } });
    const text = read(said, "ru");
    expect(text).toContain("база данных отвечает, но не пускает");
    expect(text).toContain("pg_hba.conf");
    expect(text).toContain("PostgreSQL 17.1, база shop");
    expect(text.split(stderr)).toHaveLength(2);
    expect(text).not.toContain("refused");
    expect(read(aRun({ status: "failed", error })).split(stderr)).toHaveLength(2);
    const args = { storage: "offsite", bucket: "b", server: "h:1", reason: "ECONNREFUSED" };
    const missing: RunCopy = {
      ...stored,
      status: "missing",
      error: { ...unreachable, text: { key: "error-s3-network", args } },
    };
    expect(read({ ...succeeded, status: "degraded", copies: [missing] }, "ru")).toContain(
      "нет связи с h:1 (ECONNREFUSED)",
    );
  });

  test.each([
    ["internal", "ENOENT: no such file", "внутри программы случилось непредвиденное (ENOENT: no such file)"],
    ["interrupted", "the upload of k was aborted", "работу прервали до её завершения"],
    ["lease-lost", "another worker has taken run k over", "за это взялся другой исполнитель"],
  ] as const)("gives the reason in the reader's language also for %s, wherever that comes from", (code, line, said) => {
    const error = runError(code === "internal" ? toAppError(new Error(line)) : new AppError(code, line), "dump");
    expect(read(aRun({ status: "failed", error }), "ru")).toContain(said);
  });

  test("names pieces that could not be removed yet instead of claiming that nothing was kept", () => {
    const text = read(
      aRun({ status: "failed", error: failure, open: [{ storage: "offsite", key: "k", handle: "h" }] }),
    );
    expect(text).toContain("may still be in offsite");
    const leftIn = [{ storage: "offsite", folder: "app/x/" }];
    expect(read(aRun({ status: "failed", error: failure, leftIn }))).toContain("may still be in offsite");
    expect(text).not.toContain("Nothing was kept");
  });

  test("of a degraded one says which copy is missing, why, and when it is tried again", () => {
    const copy: RunCopy = {
      storage: "offsite",
      location: "s3://b/p",
      local: false,
      status: "retrying",
      tries: 3,
      retryAt: "2026-03-01T03:06:00.000Z",
      error: unreachable,
    };
    const text = read({ ...succeeded, status: "degraded", copies: [stored, copy] });
    expect(text).toContain("a copy is missing");
    expect(text).toContain(
      "↻ offsite s3://b/p: offsite does not answer. Attempt 3 of the upload failed; the next is in 4m.",
    );
    const given = read({ ...succeeded, status: "degraded", copies: [stored, { ...copy, status: "missing" }] });
    expect(given).toContain("Given up; this copy is missing.");
  });

  test("says by whose order or schedule it runs, in the configured zone", () => {
    const dueAt = "2026-03-01T00:00:00.000Z";
    expect(read(aRun({ trigger: "schedule", dueAt, createdAt: dueAt }))).toContain("By schedule, 1 Mar 2026, 03:00");
    // Not missed: its hours began later.
    expect(read(aRun({ trigger: "schedule", dueAt }))).toContain(
      "By schedule: due 1 Mar 2026, 03:00, put off to 1 Mar 2026, 06:00 by its hours or jitter",
    );
    expect(read(aRun({ trigger: "catch-up", dueAt }))).toContain(
      "Was due 1 Mar 2026, 03:00 and missed; made up for 1 Mar 2026, 06:00",
    );
    expect(read(aRun({ trigger: "catch-up", dueAt, missed: 3 }))).toContain("3 earlier times were missed");
    expect(read(aRun({ trigger: "schedule", dueAt, missed: 1 }), "ru")).toContain("Пропущен ещё 1 более ранний срок");
    expect(read(aRun({ trigger: "retry", retryOf: "beef" }))).toContain("Retry of beef by alice");
  });

  test("rings only for the failure of a run that nobody is watching", () => {
    for (const trigger of ["schedule", "catch-up"] as const) {
      expect(render(aRun({ trigger, status: "failed", error: failure })).raise).toBe("failed");
      expect(render(aRun({ trigger, status: "running" })).raise).toBeUndefined();
      expect(render({ ...succeeded, trigger }).raise).toBeUndefined();
    }
    expect(render(aRun({ trigger: "chat", status: "failed", error: failure })).raise).toBeUndefined();
  });

  test("looks the same when nothing has changed, so that it is not sent again", () => {
    const at = (ms: number): string =>
      kind.render(succeeded, { messages: messagesOf("en"), timezone: "UTC", now: new Date(now.getTime() + ms) }).html;
    expect(at(3_600_000)).toBe(at(0));
  });

  test("whose tool wrote a book is shortened and stays HTML", () => {
    const { html } = render(aRun({ status: "failed", error: { ...failure, stderr: "ERROR: <x> & y\n".repeat(1000) } }));
    const short = shorten(html, messagesOf("en").plain("card-cut"));
    expect(short.cut).toBe(true);
    expect(parseHtml(short.html).text.length).toBeLessThanOrEqual(4096);
  });

  test("its buttons order what they say, for operators", async () => {
    const context = {
      by: { id: 222, name: "bob" },
      messages: messagesOf("en"),
      target: { chatId: -1 },
      reply: async () => undefined,
      open: async (view: object) => void orders.push(JSON.stringify(view)),
    };
    await kind.actions["cancel"]?.run(aRun(), context);
    await kind.actions["retry"]?.run(aRun(), context);
    await kind.actions["verify"]?.run(succeeded, context);
    const question = '{"kind":"verify","state":{"name":"app","backup":"0f3a0f3a0f3a"}}';
    expect(orders).toEqual(["cancel 0f3a0f3a0f3a", "retry 0f3a0f3a0f3a", question]);
    expect(Object.values(kind.actions).map((action) => action.role)).toEqual(["operator", "operator", "operator"]);
  });
});
