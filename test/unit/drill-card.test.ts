import { describe, expect, test } from "vitest";
import { drillCard } from "../../src/bot/cards/drill.ts";
import type { Rendering } from "../../src/bot/cards/types.ts";
import { shorten, textLength } from "../../src/bot/html.ts";
import type { Drill, DrillItem, DrillStatus } from "../../src/core/drill.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { DrillOrders } from "../../src/services/drills/orders.ts";
import { aDrill, aDrillItem } from "../support/drill.ts";

const kind = drillCard({ drillOrders: { isServed: () => false } as unknown as DrillOrders });
const now = new Date("2026-03-01T03:02:06.000Z");

function render(drill: Drill, locale: Locale = "en", workers?: ReadonlySet<string>): Rendering {
  return kind.render(drill, { messages: messagesOf(locale), timezone: "UTC", now, ...(workers ? { workers } : {}) });
}
const read = (drill: Drill, locale: Locale = "en"): string[] =>
  parseHtml(render(drill, locale).html)
    .text.replaceAll(/[\u00a0\u202f]/g, " ")
    .split("\n");

const passed = (parts: Partial<DrillItem> = {}): DrillItem =>
  aDrillItem({
    status: "passed",
    rtoMs: 58_000,
    compared: { rows: 2200, tables: 2 },
    former: [41_000, 43_000, 40_000],
    formerAges: [3 * 3_600_000, 9 * 3_600_000, 3 * 3_600_000],
    ...parts,
  });
const ended = (status: DrillStatus, items: readonly DrillItem[], parts: Partial<Drill> = {}): Drill =>
  aDrill({ status, items, finishedAt: "2026-03-01T03:02:06.000Z", ...parts });
const onlyLocal = {
  message: "none of its storages is elsewhere",
  text: { key: "drill-reason-only-local" },
  finding: "no-offsite" as const,
};

describe("the card of a drill", () => {
  test("says in its first line that everything came back, and what each recovery took and takes", () => {
    const cache = passed({
      name: "cache",
      rtoMs: 1200,
      rpoMs: 60_000,
      compared: { keys: 1 },
      former: [],
      formerAges: [],
    });
    expect(read(ended("passed", [passed(), cache]))).toEqual([
      "✅ Recovery drill passed: 2 backups were restored from elsewhere and compared",
      "",
      "✅ shop: RTO 58s, RPO 3h · 2,200 rows · 25.6 MB from offsite",
      "   RTO 41s, 43s, 40s, 58s ↑",
      "   RPO 3h, 9h, 3h, 3h →",
      "✅ cache: RTO 1.2s, RPO 1m · 1 key · 25.6 MB from offsite",
      "",
      "Limits: RTO 2h (from the manifest until restored and compared), RPO 1d 2h (age of the data)",
      "All of them, one after another: 59s",
      "The drill took 2m.",
      "",
      "By schedule, 1 Mar 2026, 03:00",
      "Drill d111d111d111",
    ]);
  });

  test("says the same in Russian", () => {
    const cache = passed({ name: "cache", compared: { keys: 1_000_000 }, former: [], formerAges: [] });
    const one = { name: "etcd", status: "left-out", reason: { message: "x", text: { key: "verify-because-command" } } };
    expect(read(ended("passed", [passed(), cache, one as DrillItem]), "ru").slice(0, 8)).toEqual([
      "✅ Учебное восстановление прошло: 2 копии восстановлены из удалённых хранилищ и сверены",
      "",
      "✅ shop: RTO 58 с, RPO 3 ч · 2 200 строк · 25,6 МБ из offsite",
      "   RTO 41 с; 43 с; 40 с; 58 с ↑",
      "   RPO 3 ч; 9 ч; 3 ч; 3 ч →",
      "✅ cache: RTO 58 с, RPO 3 ч · 1 000 000 ключей · 25,6 МБ из offsite",
      expect.stringMatching(/^➖ etcd: пропущено\. .* source\.testRestore\.$/),
      "",
    ]);
  });

  test("marks what is beyond its limit, and rings for that when nobody is waiting for it", () => {
    const slow = passed({ rtoMs: 7_500_000, rpoMs: 100_000_000, over: ["rto", "rpo"], former: [], formerAges: [] });
    const drill = ended("slow", [passed({ name: "cache", former: [], formerAges: [] }), slow]);
    expect(read(drill).slice(0, 3)).toEqual([
      "⚠️ Recovery drill: everything was restored, 1 of 2 beyond the limits",
      "",
      "⚠️ shop: ❗RTO 2h 5m (limit 2h), ❗RPO 1d 3h (limit 1d 2h) · 2,200 rows · 25.6 MB from offsite",
    ]);
    expect(render(drill).raise).toBe("slow");
    expect(render({ ...drill, trigger: "chat" }).raise).toBeUndefined();
  });

  test("names first what could not be recovered, with the reason and what to do", () => {
    const bad = aDrillItem({ name: "crm", status: "failed", differences: 1, rpoMs: 60_000 });
    const none = { name: "wiki", status: "undrilled", reason: onlyLocal } as const;
    const drill = ended("failed", [passed({ former: [], formerAges: [] }), none, bad]);
    expect(read(drill).slice(0, 6)).toEqual([
      "❌ Recovery drill failed: 2 of 3 could not be recovered",
      "",
      "❌ crm: the newest copy in offsite does not hold. 1 difference from what was backed up; the verification's card below names them.",
      "   RPO 1m",
      "❌ wiki: could not be recovered. All its copies lie on the disks of workers, and would be lost with them. Add a storage elsewhere (s3) to its storages.",
      "✅ shop: RTO 58s, RPO 3h · 2,200 rows · 25.6 MB from offsite",
    ]);
    expect(render(drill).raise).toBe("failed");
    expect(read(ended("failed", []))[0]).toBe("❌ Recovery drill failed: there is nothing that could be restored");
  });

  test("shows how far it is, and that nobody is there to do it", () => {
    const running = aDrillItem({ phase: "restored", progress: { bytes: 12_300_000, total: 25_600_000 } });
    const next = aDrillItem({ name: "cache", status: "waiting" });
    const drill = aDrill({ items: [passed({ name: "app", former: [], formerAges: [] }), running, next] });
    expect(read(drill).slice(0, 7)).toEqual([
      "🧭 Recovery drill is under way: 1 of 3 done",
      "",
      "✅ app: RTO 58s, RPO 3h · 2,200 rows · 25.6 MB from offsite",
      "⏳ shop: restoring into a scratch place, 12.3 MB of 25.6 MB (48 %)",
      "▫️ cache: 25.6 MB in offsite",
      "",
      "Elapsed: 2m",
    ]);
    expect(render(drill, "en", new Set()).html).toContain(messagesOf("en").t("backup-no-worker"));
    expect(read(aDrill({ status: "queued", items: [] }))[0]).toBe("🕓 Recovery drill is waiting");
  });

  test("has Cancel while it goes on, and Drill again once afterwards", () => {
    const actions = (drill: Drill) =>
      render(drill)
        .buttons.flat()
        .map(({ action, label }) => `${action}: ${label}`);
    const by = { id: 111, name: "alice" };
    expect(actions(aDrill())).toEqual(["cancel: Cancel"]);
    expect(actions(aDrill({ cancelRequestedBy: by }))).toEqual([]);
    expect(actions(ended("failed", []))).toEqual(["again: Drill again"]);
    expect(actions(ended("failed", [], { again: { drill: "x", by } }))).toEqual([]);
    const cancelled = ended("cancelled", [passed(), aDrillItem({ status: "cancelled" })], { cancelRequestedBy: by });
    expect(read(cancelled)[0]).toBe("🚫 Recovery drill was cancelled: 1 of 2 done");
    expect(read(cancelled)).toContain("Cancelled by alice. Nothing is left behind.");
  });

  test("fits into a message with three hundred backups, worst first, and names all of them in a file", () => {
    const message = "<b>&</b> ".repeat(200);
    const items = Array.from({ length: 300 }, (_, index) =>
      index % 50 === 49
        ? aDrillItem({ name: `b${index}`, status: "undrilled", reason: { message } })
        : passed({ name: `b${index}` }),
    );
    for (const locale of locales) {
      const drill = ended("failed", items);
      const { html, document } = render(drill, locale);
      expect(textLength(html)).toBeLessThanOrEqual(4096);
      expect(shorten(html, "cut").cut).toBe(false);
      const shown = parseHtml(html).text;
      expect(shown.indexOf("b49")).toBeLessThan(shown.indexOf("b0"));
      expect(document?.text.split("\n").filter((line) => /^[✅❌]/u.test(line))).toHaveLength(301);
      expect(render(aDrill({ items }), locale).document).toBeUndefined();
    }
    expect(read(ended("failed", items))).toContain(
      "… and 288 more, 288 of them restored within the limits: see the file.",
    );
  });

  test("renders every state in every language, also what a later version has written", () => {
    const later = { message: "a reason of a later version", text: { key: "drill-reason-of-a-later-version" } };
    for (const locale of locales)
      for (const status of ["queued", "running", "passed", "slow", "failed", "cancelled"] as const)
        for (const item of ["waiting", "running", "passed", "failed", "undrilled", "left-out", "cancelled"] as const) {
          const { copy: _, ...bare } = aDrillItem({ status: item, reason: later });
          const text = read(aDrill({ status, items: [bare, passed({ compared: {} })] }), locale).join("\n");
          expect(text).not.toContain("undefined");
          expect(text.includes("a reason of a later version")).toBe(["failed", "undrilled", "left-out"].includes(item));
        }
  });
});
