import fc from "fast-check";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import { type IncidentCardDeps, incidentCard } from "../../src/bot/cards/incident.ts";
import type { CardKind, RenderContext } from "../../src/bot/cards/types.ts";
import type { HistoryEntry, Incident } from "../../src/core/incident.ts";
import { linkKinds, severities } from "../../src/core/signal.ts";
import { locales, messagesOf } from "../../src/messages/index.ts";
import type { AlertsSettings } from "./alerts.ts";

const bob = { id: 222, name: "bob" };

/** A critical alert of 06:00 in Moscow that fires. */
export function anIncident(change: Partial<Incident> = {}): Incident {
  const began = "2026-03-01T03:00:00.000Z";
  return {
    id: "AbCdEf-h_j12",
    identity: "identity-of-disk-full1",
    source: "alertmanager",
    status: "firing",
    severity: "critical",
    title: "Disk is full",
    labels: { alertname: "DiskFull", severity: "critical", instance: "web-1:9100", job: "node", env: "prod" },
    links: [],
    startsAt: began,
    openedAt: began,
    firedAt: began,
    heardAt: began,
    repeats: true,
    times: 1,
    changes: [began],
    rings: 0,
    rangAt: began,
    history: [{ at: began, event: "opened" }],
    ...change,
  };
}

/** The incident's card under `alerts:` as a person writes it. */
export function cardOf(
  alerts: AlertsSettings = {},
  deps: Partial<Pick<IncidentCardDeps, "alerts">> = {},
): CardKind<Incident> {
  const config = { alerts: alertsSchema.parse(alerts), timezone: "Europe/Moscow" };
  return incidentCard({ config, ...deps } as IncidentCardDeps);
}

export function contextAt(iso: string, change: Partial<RenderContext> = {}): RenderContext {
  return { messages: messagesOf("en"), timezone: "Europe/Moscow", now: new Date(iso), ...change };
}

/** Anything that a sender may put into a text: mark-up, broken Unicode, any direction, far too much. */
export const foreignText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  {
    weight: 4,
    arbitrary: fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "/", "a", "b", " ", "\n", "\t", ";", "#") }),
  },
  { weight: 2, arbitrary: fc.constantFrom("", " ", "\u0000", "\ud83d", "\ude00x", "\u202Eevil\u202C", "⁧עברית⁩ abc") },
  { weight: 2, arbitrary: fc.constantFrom("<b>", "</b>", "&amp;", "&#x3c;", '<a href="x">', "😀", "\r\n\r\n", "ا") },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.string({
          unit: fc.constantFrom("<", "&", "я", "😀", "\ud83d", " ", "\n", "x"),
          minLength: 1,
          maxLength: 20,
        }),
        fc.integer({ min: 1, max: 3000 }),
      )
      .map(([text, times]) => text.repeat(times)),
  },
);

const time = fc
  .date({ min: new Date("2000-01-01T00:00:00Z"), max: new Date("2100-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
const person = fc.record({ id: fc.nat(), name: foreignText });

const events = ["reopened", "resolved", "acknowledged", "closed", "silenced", "severity", "flapping", "stale"] as const;
const entry: fc.Arbitrary<HistoryEntry> = fc.record({
  at: time,
  event: fc.constantFrom(...events),
  by: person,
  detail: time,
});

const labels = fc.oneof(
  fc.dictionary(foreignText, foreignText, { maxKeys: 12 }),
  // Thousands of them.
  fc
    .tuple(foreignText, fc.integer({ min: 1, max: 4000 }))
    .map(([value, count]) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`label${n}`, `${value.slice(0, 100)}${n}`])),
    ),
);

const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  foreignText,
  fc.constant("javascript:alert(1)"),
);

/** An incident in any state with whatever its sender says. */
export const anyIncident: fc.Arbitrary<Incident> = fc
  .record(
    {
      status: fc.constantFrom("firing", "resolved", "closed", "noted"),
      severity: fc.constantFrom(...severities),
      source: foreignText,
      title: foreignText,
      text: foreignText,
      labels,
      links: fc.array(fc.record({ kind: fc.constantFrom(...linkKinds), url }), { maxLength: 20 }),
      firedAt: time,
      endedAt: time,
      times: fc.integer({ min: 1, max: 1e6 }),
      acknowledged: fc.record({ by: person, at: time }),
      closed: fc.record({ by: person, at: time }),
      stillReported: fc.nat(),
      silenced: fc.record({ silence: fc.constant("s"), by: person, until: time, reason: foreignText }),
      changes: fc.array(time, { maxLength: 100 }),
      flapping: fc.record({ since: time }),
      staleSince: time,
      truncated: fc.nat(),
      rings: fc.nat(),
      history: fc.array(entry, { minLength: 1, maxLength: 60 }),
      forgotten: fc.nat(),
    } as const,
    { requiredKeys: ["status", "severity", "title", "labels"] },
  )
  .map((change) => anIncident(change as Partial<Incident>));

export const anyLocale = fc.constantFrom(...locales);
export const by = bob;
