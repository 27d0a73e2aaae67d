import { describe, expect, test } from "vitest";
import { powerCard } from "../../src/bot/cards/power.ts";
import type { Rendering } from "../../src/bot/cards/types.ts";
import { textLength, textLimit } from "../../src/bot/html.ts";
import { type PowerLook, type PowerOrder, type PowerStatus, powerActions } from "../../src/core/power.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import { stamp } from "../../src/services/stamp.ts";

const kind = powerCard({
  config: { timezone: "UTC" },
  powerOrders: { isServed: () => true, actionsOf: () => powerActions } as never,
});
const now = new Date("2026-03-01T03:02:00.000Z");

const look: PowerLook = {
  at: "2026-03-01T03:00:00.000Z",
  status: "on",
  statusWord: "on",
  providerName: "web-one",
  addresses: ["203.0.113.7"],
  identity: { server: "x", power: "on", state: "7" },
  logId: "7",
  lastReboot: { at: "2026-02-01T03:00:00.000Z", by: "alice" },
  work: [{ kind: "backup", name: "shop" }],
  processes: ["worker"],
  isOnlyWorker: true,
  backups: ["shop"],
  incidents: [{ title: "Disk <full>", severity: "critical" }],
  incidentCount: 3,
};

const order = (status: PowerStatus, change: Partial<PowerOrder> = {}): PowerOrder => ({
  id: "p111p111p111",
  server: "web-1",
  action: "reboot",
  trigger: "chat",
  requestedBy: { id: 111, name: "alice" },
  status,
  createdAt: "2026-03-01T03:00:00.000Z",
  expiresAt: "2026-03-01T03:05:00.000Z",
  looks: 0,
  look,
  approval: "a111a111a111",
  fence: 1,
  intent: { at: "2026-03-01T03:00:30.000Z", status: "on", logId: "7", tries: 1 },
  stages: { ordered: "2026-03-01T03:00:30.000Z", "going-down": "2026-03-01T03:00:40.000Z" },
  backBy: "2026-03-01T03:05:30.000Z",
  consoleUrl: "https://timeweb.cloud/my/servers/101/console",
  ...change,
});

const render = (value: PowerOrder, locale: Locale = "en"): Rendering =>
  kind.render(value, { messages: messagesOf(locale), timezone: "UTC", now });
const read = (value: PowerOrder, locale: Locale = "en"): string[] =>
  parseHtml(render(value, locale).html)
    .text.replaceAll(/[\u00a0\u202f]/g, " ")
    .split("\n");
const buttons = (value: PowerOrder): string[] =>
  render(value)
    .buttons.flat()
    .map(({ label }) => label);

describe("the card of an order about a server's power", () => {
  test("names the server as its provider does only where that is another name", () => {
    const named = (providerName: string) => read(order("ready", { look: { ...look, providerName } })).join("\n");
    expect(named("web-one")).toContain("At the provider: web-one");
    expect(named("web-1")).not.toContain("At the provider");
  });

  test("says how the server stands and what is not known before anything is confirmed", () => {
    expect(read(order("ready"))).toEqual([
      "❓ web-1: reboot: to be confirmed",
      "",
      "On · 203.0.113.7",
      "At the provider: web-one",
      "Last started or stopped: 1 Feb 2026, 03:00 (alice)",
      "",
      "⚠️ Under way there:",
      "• backup of shop",
      "Backups of what is there: shop",
      "Vakhta runs there: worker",
      "⚠️ The only worker runs on web-1: nobody watches until it is back.",
      "Who is logged in there, and what else runs there, cannot be seen from here.",
      "",
      "Open incidents: 3",
      "🔴 Disk <full>",
      "",
      "Confirm, and it is asked for. Nothing has been done yet.",
      "",
      "alice, 1 Mar 2026, 03:00",
      "Order p111p111p111",
      "To be confirmed by 1 Mar 2026, 03:05",
    ]);
    expect(buttons(order("ready"))).toEqual(["Confirm", "Cancel", "Look again"]);
    expect(buttons(order("ready", { expiresAt: "2026-03-01T03:01:00.000Z" }))).toEqual(["Look again"]);
  });

  test("says who is connected to databases there, or why that is not known", () => {
    const group = { user: "app", application: "@web <1>", database: "shop", count: 12 };
    const error = { code: "source-unreachable", message: "no answer" };
    const clients = [
      { backup: "shop", total: 20, groups: [group, { ...group, application: "", count: 5 }] },
      { backup: "crm", error },
    ];
    const lines = (locale: Locale): string[] =>
      read(order("ready", { look: { ...look, clients } }), locale)
        .slice(11, 16)
        .map((line) => line.replaceAll("\u2060", ""));
    expect(lines("en")).toEqual([
      "Connected to PostgreSQL there (backup shop): 20",
      "• @web <1> as app, database shop: 12",
      "• app, database shop: 5",
      "• others: 3",
      expect.stringContaining("Who is connected to PostgreSQL there (backup crm) is not known: "),
    ]);
    expect(lines("ru")[1]).toBe("• @web <1> под именем app, база shop: 12");
  });

  test("follows the server with times, in Russian as well", () => {
    const going = order("following", { alerts: 0 });
    expect(read(going).slice(0, 11)).toEqual([
      "⏳ web-1: reboot: under way",
      "",
      "✔ 03:00:30 ordered",
      "✔ 03:00:40 going down",
      "⏳ down …",
      "▫️ booting",
      "▫️ answering",
      "▫️ checks green",
      "",
      "Expected back by 1 Mar 2026, 03:05.",
      "Alerts of web-1, critical ones too, are held back until it is over: /alerts has them.",
    ]);
    expect(read(going, "ru").slice(0, 4)).toEqual([
      "⏳ web-1: перезагрузка: идёт",
      "",
      "✔ 03:00:30 распоряжение отдано",
      "✔ 03:00:40 выключается",
    ]);
    const answering = { ...going.stages, answering: "2026-03-01T03:01:30.000Z" };
    const lines = read(order("following", { stages: answering, alerts: 2 }));
    expect(lines.slice(2, 8)).toEqual([
      "✔ 03:00:30 ordered",
      "✔ 03:00:40 going down",
      "▫️ down (not seen: between two looks)",
      "▫️ booting (not seen: between two looks)",
      "✔ 03:01:30 answering",
      "⏳ checks green …",
    ]);
    expect(lines).toContain("2 alerts of the server are still open.");
  });

  test("offers what comes next to a server that is not back, and only that", () => {
    const late = order("late", { late: { at: "2026-03-01T03:05:30.000Z", cause: "silent" } });
    expect(buttons(late)).toEqual(["Hard reboot…"]);
    expect(read(late)).toContain("Open the console");
    expect(buttons(order("late", { late: { at: "2026-03-01T03:05:30.000Z", cause: "off" } }))).toEqual(["Start"]);
    expect(
      buttons(order("late", { action: "shutdown", late: { at: "2026-03-01T03:05:30.000Z", cause: "on" } })),
    ).toEqual(["Power off…"]);
    expect(buttons({ ...late, next: "p2" })).toEqual([]);
    expect(render(late).raise).toBe("late");
  });

  test("of recovery says why, and rings", () => {
    const { requestedBy: _, ...asked } = order("ready", {
      trigger: "recovery",
      why: [
        {
          key: "recovery-sign-incident",
          args: { title: "site <down>", since: stamp(new Date("2026-03-01T02:50:00Z"), "UTC") },
        },
      ],
    });
    expect(read(asked).slice(2, 4)).toEqual(["Why:", "• site <down> (since 1 Mar 2026, 02:50)"]);
    expect(render(asked).raise).toBe("ready");
    expect(read(asked).at(-3)).toBe("Vakhta itself, 1 Mar 2026, 03:00");
  });

  test("fits into a message, in every state and language", () => {
    const statuses: readonly PowerStatus[] = [
      "looking",
      "refused",
      "ready",
      "asked",
      "ordering",
      "following",
      "late",
      "unclear",
      "done",
      "failed",
      "unknown",
      "lost",
      "cancelled",
      "expired",
    ];
    const long = "x".repeat(300);
    const much: PowerLook = {
      ...look,
      backups: Array.from({ length: 60 }, (_, n) => `backup-${n}-${"y".repeat(60)}`),
      work: Array.from({ length: 60 }, (_, n) => ({ kind: "restore" as const, name: `name-${n}-${"y".repeat(60)}` })),
      incidents: Array.from({ length: 5 }, () => ({ title: long, severity: "critical" as const })),
    };
    for (const locale of locales)
      for (const action of powerActions)
        for (const status of statuses) {
          const error = { code: "internal", message: long };
          const rendering = render(order(status, { action, look: much, error, blindSince: look.at }), locale);
          expect(textLength(rendering.html)).toBeLessThanOrEqual(textLimit);
          expect(parseHtml(rendering.html).text).toContain("web-1");
        }
  });
});
