import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActionContext, CardAnswer, Rendering } from "../../src/bot/cards/types.ts";
import { tidy } from "../../src/bot/foreign-text.ts";
import { plainText, shorten, textLength, textLimit } from "../../src/bot/html.ts";
import type { Incident } from "../../src/core/incident.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { Alerts, SilenceOrder } from "../../src/services/alerts/alerts.ts";
import { anIncident, anyIncident, anyLocale, by, cardOf, contextAt } from "../support/incident.ts";

const kind = cardOf();
const at = "2026-03-01T03:10:00.000Z";
const later = "2026-03-01T03:28:00.000Z";

function render(incident: Incident, locale: Locale = "en"): Rendering {
  return kind.render(incident, contextAt(at, { messages: messagesOf(locale) }));
}

/** The card as it is read in the chat. */
function read(incident: Incident, locale: Locale = "en"): string {
  return parseHtml(render(incident, locale).html).text.replaceAll(/[\u00a0\u202f]/g, " ");
}

const labelsOf = (incident: Incident): string[][] =>
  render(incident).buttons.map((row) => row.map((button) => button.label));

const resolved = anIncident({ status: "resolved", endedAt: later, heardAt: later });

describe("the card of an incident", () => {
  test("says first what is wrong, then how bad since when, where, and what the sender says", () => {
    const text = read(anIncident({ text: "Only 1 % left\nof /var" }));
    expect(text.split("\n")).toEqual([
      "🔴 Disk is full",
      "Critical, firing since 1 Mar 2026, 06:00",
      "instance web-1:9100 · job node · env prod",
      "",
      "Only 1 % left",
      "of /var",
    ]);
  });

  test.each([
    [{}, "🔴"],
    [{ severity: "warning" }, "🟠"],
    [{ severity: "info" }, "🔵"],
    [{ status: "resolved", endedAt: later }, "✅"],
    [{ status: "closed", endedAt: later, closed: { by, at: later } }, "☑️"],
    [{ silenced: { silence: "s", by, until: later } }, "🔕"],
    [{ status: "noted", severity: "info", endedAt: at }, "🔵"],
  ] as const)("%j begins with %s", (change, mark) => {
    expect(read(anIncident(change)).startsWith(`${mark} `)).toBe(true);
  });

  test("of what has ended says when, and how long it took", () => {
    expect(read(resolved)).toContain("Critical, resolved 1 Mar 2026, 06:28 after 28m");
    const closed = anIncident({ status: "closed", endedAt: later, closed: { by, at: later }, stillReported: 2 });
    expect(read(closed)).toContain("closed by bob 1 Mar 2026, 06:28 after 28m");
    expect(read(closed)).toContain("still reported by its source");
  });

  test("of what has begun again says how often, and when it did first", () => {
    const again = anIncident({ times: 3, firedAt: later });
    expect(read(again)).toContain(
      "firing again since 1 Mar 2026, 06:28; it has begun 3 times, first 1 Mar 2026, 06:00",
    );
    expect(read(again, "ru")).toContain("начиналась 3 раза");
  });

  test("names who has acknowledged it and who has silenced it, until when and why", () => {
    const text = read(
      anIncident({
        acknowledged: { by, at },
        silenced: { silence: "s", by, until: later, reason: "deploying" },
      }),
    );
    expect(text).toContain("👤 Acknowledged by bob, 1 Mar 2026, 06:10");
    expect(text).toContain("🔕 Silenced until 1 Mar 2026, 06:28 by bob: deploying");
  });

  test("says that it flaps, how often, and that it is quiet; the same at whatever time it is looked at", () => {
    const changes = Array.from({ length: 9 }, (_, n) => new Date(Date.parse(at) - (8 - n) * 180_000).toISOString());
    const flapping = anIncident({ changes, flapping: { since: changes[0] ?? "" }, rings: 4 });
    expect(read(flapping)).toContain("🔁 Flapping, 7 times in 20m");
    expect(render(flapping)).toMatchObject({ silent: true });
    expect(render(flapping).raise).toBeUndefined();
    const muchLater = kind.render(flapping, contextAt("2026-03-01T09:00:00.000Z"));
    expect(muchLater.html).toBe(render(flapping).html);
  });

  test("says what is not reported any more, and what the sender has left out", () => {
    expect(read(anIncident({ staleSince: at }))).toContain("Not reported again since 1 Mar 2026, 06:10");
    expect(read(anIncident({ truncated: 1 }))).toContain("left out 1 more alert");
    expect(read(anIncident({ truncated: 340 }))).toContain("left out 340 more alerts");
    expect(read(anIncident({ truncated: 22 }), "ru")).toContain("не показал ещё 22 тревоги");
  });

  test("links to where it comes from, on one line, http and https only", () => {
    const { html } = render(
      anIncident({
        links: [
          { kind: "dashboard", url: 'https://grafana.example.org/d/1?a=1&b="2"' },
          { kind: "runbook", url: "javascript:alert(1)" },
          { kind: "alertmanager", url: "http://am.example.org/#/alerts" },
          { kind: "source", url: "tg://resolve?domain=x" },
          { kind: "silence", url: "https://am.example.org/#/silences/new" },
          { kind: "runbook", url: "https://wiki.example.org/disk" },
        ],
      }),
    );
    const { text, entities } = parseHtml(html);
    expect(text.split("\n").at(-1)).toBe("Grafana · Alertmanager · Silence there · Runbook");
    const links = entities.flatMap((entity) => (entity.type === "text_link" ? [entity.url] : []));
    expect(links).toEqual([
      "https://grafana.example.org/d/1?a=1&b=%222%22",
      "http://am.example.org/#/alerts",
      "https://am.example.org/#/silences/new",
      "https://wiki.example.org/disk",
    ]);
  });

  test("gives titles and texts that have a key in the reader's language", () => {
    const ours = anIncident({ title: { key: "silences-none" }, text: { key: "silence-too-many", args: { word: 3 } } });
    expect(read(ours, "ru")).toContain("Условий может быть не больше 3");
    expect(read(anIncident({ title: { key: "of-another-version" } }))).toContain("of-another-version");
  });

  test("keeps what is written from right to left, or tries to turn the line, within itself", () => {
    const text = read(anIncident({ title: "\u202Eevil", labels: { server: "שרת" } }));
    expect(text).toContain("\u2068evil\u2069");
    expect(text).toContain("server \u2068שרת\u2069");
  });

  test("without a title says so", () => {
    expect(read(anIncident({ title: " \n\u0000" }))).toContain("🔴 (no title)");
  });
});

describe("its buttons", () => {
  test("are those of a firing alert", () => {
    expect(labelsOf(anIncident())).toEqual([
      ["Acknowledge"],
      ["Silence 1h", "Silence 8h"],
      ["Choose…", "Close", "Details"],
    ]);
  });

  test("do not offer what is done already", () => {
    expect(labelsOf(anIncident({ acknowledged: { by, at } }))[0]).toEqual(["Silence 1h", "Silence 8h"]);
    expect(labelsOf(anIncident({ silenced: { silence: "s", by, until: later } }))).toEqual([
      ["Acknowledge"],
      ["End silence", "Longer…"],
      ["Close", "Details"],
    ]);
    for (const status of ["resolved", "closed", "noted"] as const)
      expect(labelsOf(anIncident({ status, endedAt: later }))).toEqual([["Details"]]);
  });

  test("take an operator, except Details", () => {
    const roles = Object.entries(kind.actions).map(([name, action]) => [name, action.role]);
    expect(roles.filter(([name]) => name !== "details").every(([, role]) => role === "operator")).toBe(true);
    expect(kind.actions["details"]?.role).toBe("viewer");
  });

  test.each([
    [resolved, "acknowledge", "Already resolved. Nothing was done."],
    [anIncident({ status: "closed", closed: { by, at } }), "close", "Already closed by bob. Nothing was done."],
    [anIncident({ acknowledged: { by, at } }), "acknowledge", "Already acknowledged by bob. Nothing was done."],
    [
      anIncident({ silenced: { silence: "s", by, until: later } }),
      "silence-8h",
      "Already silenced by bob. Nothing was done.",
    ],
    [anIncident(), "unsilence", "It is no longer silenced. Nothing was done."],
  ] as const)("that are out of date say why (%#)", (incident, action, toast) => {
    expect(kind.refusal?.(incident, action, messagesOf("en"))).toBe(toast);
  });

  test("order what they say; a double tap silences once", async () => {
    const orders: string[] = [];
    const sources: (string | undefined)[] = [];
    const alerts = {
      acknowledge: async (id: string, who: { name: string }) => void orders.push(`acknowledge ${id} ${who.name}`),
      close: async (id: string) => void orders.push(`close ${id}`),
      silencesOn: async ({ silenced }: Incident) => ({
        shown: silenced?.silence === "s1" ? { id: "s1", identity: "x" } : { id: "s2" },
      }),
      endSilence: async (id: string) => void orders.push(`end ${id}`),
      silence: async ({ durationMs, incident, source }: SilenceOrder) => {
        orders.push(`silence ${incident?.id} ${durationMs / 3_600_000}h`);
        sources.push(source);
      },
    } as unknown as Alerts;
    const opened: object[] = [];
    const context: ActionContext = {
      by,
      messages: messagesOf("en"),
      target: { chatId: -1 },
      reply: async () => undefined,
      open: async (view) => void opened.push(view),
    };
    const own = cardOf({}, { alerts });
    for (const action of ["acknowledge", "silence-1h", "silence-8h", "silence-8h", "silence-choose", "close"])
      await own.actions[action]?.run(anIncident(), context);
    await own.actions["unsilence"]?.run(anIncident({ silenced: { silence: "s1", by, until: later } }), context);
    // It covers others as well: shown first.
    await own.actions["unsilence"]?.run(anIncident({ silenced: { silence: "s2", by, until: later } }), context);
    expect(orders).toEqual([
      "acknowledge AbCdEf-h_j12 bob",
      "silence AbCdEf-h_j12 1h",
      "silence AbCdEf-h_j12 8h",
      "silence AbCdEf-h_j12 8h",
      "close AbCdEf-h_j12",
      "end s1",
    ]);
    expect(sources[1]).toBe(sources[2]);
    expect(new Set(sources).size).toBe(2);
    expect(opened).toEqual([
      { kind: "silence", state: { incident: "AbCdEf-h_j12" } },
      { kind: "silences", state: { only: "s2" } },
    ]);
  });
});

test("the sender's words become no commands and no links to people on the phone", () => {
  const labels = { "app.kubernetes.io/name": "shop", host: "web.example.org" };
  const { html } = render(anIncident({ title: "@alice: /silence, a@b and/or #1 in /var/log", labels }));
  expect(html).toContain("<b>@\u2060alice: /\u2060silence, a@\u2060b and/or #\u20601 in /\u2060var/log</b>");
  expect(html).toContain("<code>host</code> <code>web.example.org</code>");
  expect(html).toContain("<code>app.kubernetes.io/name</code> <code>shop</code>");
});

describe("ringing", () => {
  test("is for every new count of what is worth it, and for nothing that is in hand, quiet or over", () => {
    expect(render(anIncident()).raise).toBeUndefined();
    expect(render(anIncident({ rings: 2 })).raise).toBe("2");
    expect(render(anIncident({ rings: 2, acknowledged: { by, at } })).raise).toBeUndefined();
    expect(render(anIncident({ rings: 2, silenced: { silence: "s", by, until: later } })).raise).toBeUndefined();
    expect(render({ ...resolved, rings: 2 }).raise).toBeUndefined();
  });

  test("is left out by route and hour", () => {
    const own = cardOf({ routes: [{ match: { env: "prod" }, silent: "05:00-07:00" }] });
    const silentAt = (iso: string) => own.render(anIncident(), contextAt(iso)).silent;
    expect(silentAt("2026-03-01T03:10:00.000Z")).toBe(true);
    expect(silentAt("2026-03-01T04:00:00.000Z")).toBeUndefined();
    expect(own.render(anIncident({ labels: {} }), contextAt(at)).silent).toBeUndefined();
  });

  test("is made by a reply when the card is old and it is over", () => {
    const replyOf = (incident: Incident, postedAt: string, alerts: Parameters<typeof cardOf>[0] = {}) =>
      cardOf(alerts).render(incident, contextAt(later, { postedAt: new Date(postedAt) })).reply;
    expect(replyOf(resolved, "2026-03-01T03:00:01.000Z")).toEqual({
      key: "resolved-1",
      html: "✅ <b>Disk is full</b>: resolved after 28m",
    });
    expect(replyOf(resolved, "2026-03-01T03:20:00.000Z")).toBeUndefined();
    expect(replyOf(resolved, "2026-03-01T03:20:00.000Z", { resolved: { replyAfter: "5m" } })).toBeDefined();
    expect(replyOf(resolved, "2026-03-01T03:00:01.000Z", { resolved: { replyAfter: false } })).toBeUndefined();
    expect(replyOf({ ...resolved, flapping: { since: at } }, "2026-03-01T03:00:01.000Z")).toBeUndefined();
    const silenced = { ...resolved, silenced: { silence: "s", by, until: later } };
    expect(replyOf(silenced, "2026-03-01T03:00:01.000Z")).toBeUndefined();
    expect(replyOf({ ...resolved, times: 2 }, "2026-03-01T03:00:01.000Z")?.key).toBe("resolved-2");
    expect(kind.render(resolved, contextAt(later)).reply).toBeUndefined();
  });
});

describe("Details", () => {
  async function details(incident: Incident, locale: Locale = "en"): Promise<CardAnswer> {
    const answers: CardAnswer[] = [];
    const context: ActionContext = {
      by,
      messages: messagesOf(locale),
      target: { chatId: -1 },
      reply: async (answer) => void answers.push(answer),
      open: async () => undefined,
    };
    await kind.actions["details"]?.run(incident, context);
    return answers[0] ?? { html: "" };
  }
  const whole = anIncident({
    text: "It is full",
    links: [{ kind: "runbook", url: "https://wiki.example.org/disk" }],
    status: "closed",
    endedAt: later,
    closed: { by, at: later },
    history: [
      { at: "2026-03-01T03:00:00.000Z", event: "opened" },
      { at: "2026-03-01T03:04:00.000Z", event: "acknowledged", by },
      { at, event: "silenced", by, detail: later },
      { at: "2026-03-01T03:20:00.000Z", event: "unsilenced", by },
      { at: later, event: "closed", by },
    ],
    forgotten: 2,
  });

  test("tell everything: labels, who did what when, links, where it comes from", async () => {
    const { html } = await details(whole);
    const { text } = parseHtml(html);
    for (const line of [
      "alertname = DiskFull",
      "env = prod",
      "1 Mar 2026, 06:00: began",
      "… 2 entries left out here …",
      "1 Mar 2026, 06:04: acknowledged by bob, 4m after it began",
      "1 Mar 2026, 06:10: silenced by bob until 1 Mar 2026, 06:28",
      "1 Mar 2026, 06:20: silence ended by bob",
      "1 Mar 2026, 06:28: closed by bob, 28m after it began",
      "Source: alertmanager",
      "fingerprint: identity-of-disk-full1",
    ])
      expect(text.replaceAll(/[\u00a0\u202f]/g, " ")).toContain(line);
    expect(html).toContain('\n<a href="https://wiki.example.org/disk">Runbook</a>\n');
  });

  test("that no message can hold come as a file", async () => {
    const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`label${n}`, `value ${n}`]));
    const { html, document } = await details({ ...whole, labels });
    expect(textLength(html)).toBeLessThan(1024);
    expect(document?.name).toBe("incident-AbCdEf-h_j12.txt");
    expect(document?.text).toContain("label999 = value 999");
    expect(document?.text).toContain("acknowledged by bob");
  });

  test("are well-formed whatever the sender says", async () => {
    await fc.assert(
      fc.asyncProperty(anyIncident, anyLocale, async (incident, locale) => {
        const { html, document } = await details(incident, locale);
        expect(parseHtml(html).text.length).toBeLessThanOrEqual(textLimit);
        for (const [name, value] of Object.entries(incident.labels))
          expect(document?.text ?? plainText(html)).toContain(
            document ? `${name} = ${value}`.toWellFormed() : tidy(`${name} = ${value}`),
          );
      }),
      { numRuns: 80 },
    );
  }, 180_000);
});

describe("whatever the sender says", () => {
  /** What was said and is not in the file; where there is none, on the card. */
  function lostOf(incident: Incident, text: string, document: Rendering["document"], locale: Locale): string[] {
    const said = typeof incident.text === "string" ? incident.text : "";
    const title = typeof incident.title === "string" ? incident.title : "";
    const onCard = text.replaceAll(/[\u2066-\u2069]/g, "");
    const unturned = tidy(said).replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, "");
    if (!document) return onCard.includes(unturned.trim()) ? [] : [said];
    const labels = Object.entries(incident.labels).map(([name, value]) => `${name} = ${value}`);
    const parts = [said.trim() === "" ? "" : said, title, ...labels, messagesOf(locale).plain("details-history")];
    return parts.filter((part) => !document.text.includes(part.toWellFormed()));
  }

  test.each(locales)(
    "the card is Telegram's HTML, fits, and loses nothing (%s)",
    (locale) => {
      fc.assert(
        fc.property(anyIncident, (incident) => {
          const { html, buttons, document } = render(incident, locale);
          const { text } = parseHtml(html);
          expect(shorten(html, "").cut).toBe(false);
          expect(text.length).toBeLessThanOrEqual(textLimit);
          expect(text.trim()).not.toBe("");
          expect(text).not.toMatch(/undefined|NaN|Invalid Date/);
          expect(buttons.flat().every(({ action }) => /^[a-z0-9-]{1,20}$/.test(action))).toBe(true);
          expect(lostOf(incident, text, document, locale)).toEqual([]);
        }),
        { numRuns: 200 },
      );
    },
    120_000,
  );

  test("the file is the same as long as the sender says the same, whatever people do", () => {
    const long = anIncident({ text: "x".repeat(5000) });
    const acknowledged = { ...long, acknowledged: { by, at } };
    expect(render(long).document?.key).toBe(render(acknowledged).document?.key);
    expect(render({ ...long, text: "y".repeat(5000) }).document?.key).not.toBe(render(long).document?.key);
  });
});
