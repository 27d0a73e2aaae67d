import { expect, test } from "vitest";
import { type AlertsState, alertsView } from "../../src/bot/views/alerts.ts";
import type { Incident } from "../../src/core/incident.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { anIncident } from "../support/incident.ts";

/** The page that /alerts shows of so many ended incidents, as plain words. */
async function page(ended: number, state: AlertsState): Promise<string> {
  const ids = Array.from({ length: ended }, (_, n) => `id${n}`);
  const incidentOf = (id: string) => anIncident({ id, status: "resolved", endedAt: "2026-03-01T03:10:00.000Z" });
  const view = alertsView({
    config: { timezone: "UTC" },
    kinds: new Map(),
    incidents: {
      endedIdsSince: async (_since: Date, limit: number) => ids.slice(0, limit),
      each: async function* (some: readonly string[]) {
        yield* some.map(incidentOf);
      },
      readAll: async (some: readonly string[]) => some.map(incidentOf),
    },
  } as unknown as Parameters<typeof alertsView>[0]);
  const now = new Date("2026-03-01T04:00:00.000Z");
  return (await view.render(state, { id: "view", messages: messagesOf("en"), now, isPrivate: false })).html;
}

test("the history says when it looks at the newest ones only", async () => {
  const all = await page(10_000, { endedWithin: 86_400_000 });
  expect(all).toContain("Ended in the last 1d: 10,000");
  expect(all).not.toContain("were looked at");
  expect(await page(10_001, { endedWithin: 86_400_000 })).toContain("Only the newest 10,000 were looked at.");
});

test("the list has what somebody keeps quiet last, of the rest the most severe first, of these the newest", async () => {
  const at = (minute: number) => `2026-03-01T03:0${minute}:00.000Z`;
  const silenced = { silence: "s1", by: { id: 2, name: "bob" }, until: "2026-03-01T05:00:00.000Z" };
  const all = [
    anIncident({ id: "a", title: "critical, silenced", severity: "critical", openedAt: at(1), silenced }),
    anIncident({ id: "b", title: "critical, old", severity: "critical", openedAt: at(2) }),
    anIncident({ id: "c", title: "critical, new", severity: "critical", openedAt: at(3) }),
    anIncident({ id: "d", title: "warning", severity: "warning", openedAt: at(4) }),
  ];
  const of = (ids: readonly string[]): Incident[] => ids.flatMap((id) => all.filter((one) => one.id === id));
  const view = alertsView({
    config: { timezone: "UTC" },
    kinds: new Map(),
    incidents: {
      openIds: async () => ["a", "b", "c", "d"],
      each: async function* (ids: readonly string[]) {
        yield* of(ids);
      },
      readAll: async (ids: readonly string[]) => of(ids),
    },
  } as unknown as Parameters<typeof alertsView>[0]);
  const titles = async (state: AlertsState): Promise<string[]> => {
    const context = { id: "view", messages: messagesOf("en"), now: new Date(at(9)), isPrivate: false };
    return [...(await view.render(state, context)).html.matchAll(/<b>(critical, \w+|warning)<\/b>/g)].map(
      (it) => it[1] ?? "",
    );
  };
  expect(await titles({})).toEqual(["critical, new", "critical, old", "warning", "critical, silenced"]);
  expect(await titles({ handled: ["silenced"] })).toEqual(["critical, silenced"]);
});
