import { describe, expect, test } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import { incidentCard } from "../../src/bot/cards/incident.ts";
import type { ActionContext, CardKind } from "../../src/bot/cards/types.ts";
import type { PowerChoice } from "../../src/bot/views/power.ts";
import { powerView } from "../../src/bot/views/power.ts";
import type { Incident } from "../../src/core/incident.ts";
import { type LateCause, type PowerAction, powerActions } from "../../src/core/power.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { anIncident, contextAt } from "../support/incident.ts";

const at = "2026-03-01T03:06:00.000Z";
const kind: CardKind<Incident> = incidentCard({
  config: { alerts: alertsSchema.parse({}), timezone: "UTC" },
  powerOrders: { actionsOf: () => powerActions },
} as never);
const servers = [{ name: "web-1", provider: "timeweb", kind: "timeweb", labels: {}, config: { id: 101 } }];
const view = powerView({ config: { servers }, powerOrders: {} } as never);

const late = (action: PowerAction, cause: LateCause): Incident =>
  anIncident({
    source: "power",
    title: { key: "power-late-title", args: { server: "web-1", minutes: 5 } },
    text: { key: `power-late-text-${cause}`, args: { server: "web-1" } },
    labels: { server: "web-1", action, order: "p1" },
  });

/** The last row of the card, and what it leads to, as it is read in a language. */
async function ledTo(incident: Incident, locale: "en" | "ru" = "en") {
  const messages = messagesOf(locale);
  const button = kind.render(incident, contextAt(at, { messages })).buttons.at(-1)?.[0];
  const action = kind.actions[button?.action ?? ""];
  const opened: PowerChoice[] = [];
  const context = { messages, open: async ({ state }: { state: object }) => void opened.push(state as PowerChoice) };
  await action?.run(incident, context as unknown as ActionContext);
  const toast = await action?.toast(incident, messages, { id: 1, name: "alice" });
  const shown = await view.render(opened[0] ?? { command: "reboot" }, { messages } as never);
  return { label: button?.label, toast, html: shown.html, offered: shown.rows.flat().map(({ label }) => label) };
}

describe("the next button of what is not back in time", () => {
  test("leads to what it says, and to nothing else", async () => {
    expect(await ledTo(late("reboot", "silent"))).toEqual({
      label: "Hard reboot…",
      toast: "See below",
      html: "<b>web-1: hard reboot</b>: ask for it?\nAs if the plug were pulled: what is not written to disk is lost.",
      offered: ["Hard reboot…", "Cancel"],
    });
    expect(await ledTo(late("reboot", "off"))).toMatchObject({ label: "Start", offered: ["Start", "Cancel"] });
  });

  test("of one that does not go off powers it off, and does not start it anew", async () => {
    expect(await ledTo(late("shutdown", "on"))).toMatchObject({
      label: "Power off…",
      offered: ["Power off…", "Cancel"],
    });
  });

  test("says in Russian as well what is done", async () => {
    expect(await ledTo(late("reboot", "stuck"), "ru")).toMatchObject({
      label: "Жёсткая перезагрузка…",
      offered: ["Жёсткая перезагрузка…", "Отмена"],
    });
  });
});
