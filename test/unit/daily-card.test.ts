import { describe, expect, test } from "vitest";
import { dailyCard } from "../../src/bot/cards/daily.ts";
import type { DailyReport } from "../../src/core/daily.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import { contextAt } from "../support/incident.ts";

const kind = dailyCard({ config: { timezone: "Europe/Moscow" } });

const well: DailyReport = {
  at: "2026-03-01T06:00:00.000Z",
  incidents: { critical: 0, warning: 0, info: 0 },
  backups: [
    { name: "app", state: "good", finishedAt: "2026-03-01T00:10:00.000Z" },
    { name: "shop", state: "good", finishedAt: "2026-03-01T00:20:00.000Z" },
  ],
  processes: { bots: 1, workers: 2 },
  day: { opened: 5, resolved: 5, storms: 0, backups: 2, failedBackups: 0 },
};

function lines(report: DailyReport, locale: Locale = "en"): string[] {
  const { html } = kind.render(report, contextAt(report.at, { messages: messagesOf(locale) }));
  return parseHtml(html)
    .text.replaceAll(/[\u00a0\u202f]/g, " ")
    .split("\n");
}

describe("the card of the day", () => {
  test("says in five lines that all is well", () => {
    expect(lines(well)).toEqual([
      "✅ All is well, 1 Mar 2026, 09:00",
      "Open alerts: none",
      "Backups: 2 good",
      "Alive: 1 bot, 2 workers",
      "Last 24 hours: 5 alerts began, 5 resolved, 2 backups",
    ]);
    expect(kind.render(well, contextAt(well.at)).buttons).toEqual([]);
  });

  const unwell: DailyReport = {
    ...well,
    incidents: {
      critical: 1,
      warning: 2,
      info: 1,
      oldest: { title: "Disk <full>", since: "2026-02-28T06:00:00.000Z" },
    },
    backups: [...well.backups, { name: "crm", state: "failed" }, { name: "wiki", state: "overdue" }],
    processes: { bots: 1, workers: 0 },
    day: { opened: 341, resolved: 337, storms: 1, backups: 4, failedBackups: 1 },
  };

  test("or that a copy is missing, and what goes on though it was closed by hand", () => {
    const day = { opened: 3, resolved: 1, closed: 76, noted: 2, storms: 0, backups: 2, failedBackups: 0 };
    const backups = [...well.backups, { name: "crm", state: "degraded" as const }];
    expect(lines({ ...well, backups, day, incidents: { ...well.incidents, stillReported: 1 } })).toEqual([
      "⚠️ Not all is well: 1 closed by hand but still reported, 1 backup in trouble (1 Mar 2026, 09:00)",
      "Open alerts: none",
      "Backups: 1 without one of the copies (crm); 2 good",
      "Alive: 1 bot, 2 workers",
      "Last 24 hours: 3 alerts began, 1 resolved, 76 closed by hand, 2 events, 2 backups",
    ]);
  });

  test("or what is not, by name", () => {
    expect(lines(unwell)).toEqual([
      "⚠️ Not all is well: 1 critical, 2 warnings, 2 backups in trouble, no worker is alive (1 Mar 2026, 09:00)",
      "Open alerts: 1 critical, 2 warnings, 1 info; the oldest since 28 Feb 2026, 09:00: Disk <full>",
      "Backups: 1 failed (crm); 1 overdue (wiki); 2 good",
      "Alive: 1 bot, 0 workers",
      "Last 24 hours: 341 alerts began, 337 resolved, 1 storm, 4 backups, 1 of them failed",
    ]);
    const { buttons } = kind.render(unwell, contextAt(well.at));
    expect(buttons.flat().map(({ label }) => label)).toEqual(["Alerts"]);
  });

  test("counts as Russian does", () => {
    expect(lines(unwell, "ru")).toEqual([
      "⚠️ Не всё в порядке: 1 критическая, 2 предупреждения, 2 копии под вопросом, ни один исполнитель не работает (1 мар. 2026 г., 09:00)",
      "Активные тревоги: 1 критическая, 2 предупреждения, 1 к сведению; самая давняя с 28 февр. 2026 г., 09:00: Disk <full>",
      "Копии: не удалась 1 (crm); просрочена 1 (wiki); в порядке 2",
      "Работают: 1 бот, 0 исполнителей",
      "За 24 часа: 341 тревога началась, 337 прошло, 1 шторм, 4 копии, из них 1 не удалась",
    ]);
  });

  test("names five of many backups, and leaves the line out where none is configured", () => {
    const backups = Array.from({ length: 8 }, (_, n) => ({ name: `b${n}`, state: "never" as const }));
    expect(lines({ ...well, backups })[2]).toBe("Backups: 8 never made (b0, b1, b2, b3, b4 and 3 more)");
    expect(lines({ ...well, backups: [] })).toHaveLength(4);
  });
});
