import { describe, expect, test } from "vitest";
import { stormCard } from "../../src/bot/cards/storm.ts";
import type { ActionContext, CardAnswer, Rendering, ViewOrder } from "../../src/bot/cards/types.ts";
import { textLimit } from "../../src/bot/html.ts";
import type { Incident } from "../../src/core/incident.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { StormSummary } from "../../src/state/storms.ts";
import { anIncident, by, contextAt } from "../support/incident.ts";

const started = new Date("2026-03-01T03:00:00.000Z");
const newest = new Date("2026-03-01T03:04:00.000Z");
const over = new Date("2026-03-01T03:06:00.000Z");

function aStorm(change: Partial<StormSummary> = {}): StormSummary {
  return {
    id: "s1",
    target: { chatId: -1 },
    startedAt: started,
    lastAt: newest,
    late: false,
    total: 352,
    ownFiring: 0,
    acknowledged: 0,
    silenced: 0,
    ringing: 340,
    silent: [false],
    rings: 0,
    counts: {
      critical: { firing: 2, over: 0 },
      warning: { firing: 338, over: 10 },
      info: { firing: 0, over: 2 },
    },
    ended: { resolved: 12, closed: 0, noted: 0 },
    first: JSON.stringify("Switch is down"),
    last: JSON.stringify({ key: "silence-too-many", args: { word: 3 } }),
    labels: [
      { label: "env=prod", count: 300 },
      { label: "job=web", count: 120 },
      { label: "host=lonely", count: 1 },
    ],
    ...change,
  };
}

const none = { firing: 0, over: 0 };
const critical = (n: number): Incident =>
  anIncident({ id: `id${n}`, title: `Database ${n} is down`, labels: { server: `db-${n}` } });

interface World {
  readonly members?: readonly Incident[];
  readonly summary?: StormSummary;
}

function card({ members = [], summary = aStorm() }: World = {}) {
  const orders: string[] = [];
  const byId = new Map(members.map((member) => [member.id, member]));
  const kind = stormCard({
    config: { timezone: "Europe/Moscow" },
    alerts: {
      acknowledgeStorm: async (id: string, { name }: { name: string }) => {
        orders.push(`${name} acknowledges ${id}`);
        return 340;
      },
    },
    incidents: {
      readAll: async (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? []),
      each: async function* (ids: readonly string[]) {
        yield* ids.flatMap((id) => byId.get(id) ?? []);
      },
    },
    storms: {
      summary: async (id: string) => (id === "s1" ? summary : undefined),
      members: async (_id: string, limit = 0) => members.map(({ id }) => id).slice(0, limit || undefined),
    },
  } as unknown as Parameters<typeof stormCard>[0]);
  return { kind, orders };
}

function render(
  summary: StormSummary,
  criticals: readonly Incident[] = [],
  locale: Locale = "en",
  at = "2026-03-01T03:10:00.000Z",
): Rendering {
  const context = contextAt(at, { messages: messagesOf(locale) });
  return card().kind.render({ summary, criticals }, context);
}

const plain = (html: string): string => parseHtml(html).text.replaceAll(/[\u00a0\u202f\u2009]/g, " ");
const read = (...args: Parameters<typeof render>): string => plain(render(...args).html);
const labelsOf = ({ buttons }: Rendering): string[] => buttons.flat().map(({ label }) => label);

describe("the card of a storm", () => {
  test("says how many, how bad, which critical ones, what they have in common, the first and the newest", () => {
    expect(read(aStorm(), [critical(1), critical(2)]).split("\n")).toEqual([
      "⛈ 340 firing, 12 resolved",
      "",
      "A storm since 1 Mar 2026, 06:00: 352 alerts so far.",
      "",
      "🔴 2 critical, 2 firing",
      "🟠 348 warnings, 338 firing",
      "🔵 2 info, 0 firing",
      "",
      "Critical:",
      "🔴 Database 1 is down · db-1",
      "🔴 Database 2 is down · db-2",
      "",
      "First: Switch is down",
      "Newest: A silence has at most 3 conditions., 1 Mar 2026, 06:04",
      "Most often: env=prod × 300 · job=web × 120",
    ]);
  });

  test("names as many critical ones as fit, those that fire first, and counts the rest", () => {
    const counts = { critical: { firing: 900, over: 100 }, warning: none, info: none };
    const ended = { resolved: 100, closed: 0, noted: 0 };
    const criticals = Array.from({ length: 120 }, (_, n) => ({
      ...critical(n),
      title: `${n} ${"<very long> & ".repeat(30)}`,
      ...(n < 10 ? { status: "resolved" as const, endedAt: over.toISOString() } : {}),
    }));
    const { html } = render(aStorm({ counts, total: 1000, ended }), criticals);
    const { text } = parseHtml(html);
    expect(text.length).toBeLessThanOrEqual(textLimit);
    const named = text.split("\n").filter((line) => /^(?:🔴|✅) \d/.test(line) && line.includes("very"));
    expect(named[0]).toMatch(/^🔴 10 /);
    expect(text).toContain(`and ${1000 - named.length} more`);
    // No further name would have fitted, not even instead of what is less important.
    expect(text.length + (named[0]?.length ?? 0)).toBeGreaterThan(textLimit);
    expect(text).not.toContain("Most often");
  });

  test.for([
    [100, 100],
    [5000, 125],
  ] as const)("names whole hundreds: of %i at least %i, whole names to the last unit", ([total, least]) => {
    const counts = { critical: { firing: total, over: 0 }, warning: none, info: none };
    const members = Array.from({ length: total }, (_, n) => critical(n));
    for (const locale of ["en", "ru"] as const) {
      const { html } = render(aStorm({ counts, total }), members.slice(0, 800), locale);
      const { text } = parseHtml(html);
      const named = text.split("\n").filter((line) => /^🔴 Database \d+ is down · db-\d+$/.test(line));
      expect(named.length).toBeGreaterThanOrEqual(least);
      expect(text.length).toBeLessThanOrEqual(textLimit);
      expect(/and .* more|и ещё/.test(text)).toBe(named.length < total);
      expect(named.length === total || text.length > textLimit - 60).toBe(true);
    }
  });

  test("has true numbers when thousands are in it, also in Russian", () => {
    const counts = { critical: none, warning: { firing: 9978, over: 22 }, info: none };
    const ended = { resolved: 21, closed: 1, noted: 0 };
    const summary = aStorm({ counts, total: 10_003, ownFiring: 2, ended });
    expect(read(summary)).toContain("9,978 firing, 21 resolved, 1 closed");
    expect(read(summary)).toContain("10,003 alerts so far.\n3 of them have cards of their own, 2 of those fire.");
    expect(read({ ...summary, ownFiring: 0 })).toContain("3 of them have cards of their own.");
    expect(read(summary, [], "ru")).toContain("9 978 активных, 21 прошла, 1 закрыта");
    expect(read(summary, [], "ru")).toContain("У 3 из них свои карточки, среди этих активны 2.");
  });

  test("shows what is done about it elsewhere", () => {
    const alice = { by: { id: 1, name: "alice" }, at: started.toISOString() };
    const silenced = { silence: "s", by: { id: 1, name: "alice" }, until: over.toISOString() };
    const criticals = [
      { ...critical(1), acknowledged: alice },
      { ...critical(2), silenced },
    ];
    const summary = aStorm({ acknowledged: 3, silenced: 6 });
    const text = read(summary, criticals);
    expect(text).toContain("352 alerts so far.\n👤 3 acknowledged, 🔕 6 silenced\n");
    expect(text).toContain("🔴👤 Database 1 is down · db-1\n🔕 Database 2 is down · db-2");
    expect(read(aStorm({ silenced: 6 }))).toContain("\n🔕 6 silenced\n");
    expect(read(summary, [], "ru")).toContain("👤 приняты 3, 🔕 без звука 6");
  });

  test("rings again for its members as long as one of them is worth it, and is silent when all of them are", () => {
    expect(render(aStorm()).raise).toBeUndefined();
    expect(render(aStorm({ rings: 2 }))).toMatchObject({ raise: "2" });
    expect(render(aStorm({ rings: 2 })).silent).toBeUndefined();
    expect(render(aStorm({ rings: 2, ringing: 0 })).raise).toBeUndefined();
    expect(render(aStorm({ silent: [] })).silent).toBe(true);
    const night = { from: 22 * 60, to: 8 * 60 };
    const at = (iso: string, ...silent: StormSummary["silent"]) => render(aStorm({ silent }), [], "en", iso).silent;
    // In Moscow it is three hours later.
    expect(at("2026-03-01T04:59:00.000Z", night)).toBe(true);
    expect(at("2026-03-01T05:00:00.000Z", night)).toBeUndefined();
    expect(at("2026-03-01T03:00:00.000Z", night, true)).toBe(true);
    expect(at("2026-03-01T03:00:00.000Z", night, false)).toBeUndefined();
  });

  test("after it says what happened, and once so that it rings", () => {
    const rendering = render(aStorm({ endedAt: over }));
    expect(plain(rendering.html)).toContain("The storm is over: 352 alerts, 1 Mar 2026, 06:00–06:04.");
    expect(plain(rendering.reply?.html ?? "").split("\n")).toEqual([
      "🌤 The storm is over: 352 alerts, 1 Mar 2026, 06:00–06:04.",
      "340 still firing.",
    ]);
    expect(rendering.reply?.key).toBe("over");
    expect(render(aStorm()).reply).toBeUndefined();
    const calm = aStorm({
      endedAt: over,
      counts: { critical: { firing: 0, over: 2 }, warning: { firing: 0, over: 348 }, info: { firing: 0, over: 2 } },
      ended: { resolved: 352, closed: 0, noted: 0 },
    });
    expect(read(calm)).toMatch(/^✅ 0 firing, 352 resolved/);
    expect(plain(render(calm).reply?.html ?? "")).toContain("None of them fires any more.");
    // Those with cards of their own are a part of it.
    const own = { ...calm, ownFiring: 4, total: 360 };
    expect(read(own)).toMatch(/^🌤 0 firing, 352 resolved/);
    expect(plain(render(own).reply?.html ?? "")).toContain("4 still firing.");
    const short = { ...calm, lastAt: started };
    expect(read(short)).toContain("The storm is over: 352 alerts, 1 Mar 2026, 06:00.");
    const long = { ...calm, lastAt: new Date("2026-03-02T03:00:00.000Z") };
    expect(read(long)).toContain("352 alerts, 1 Mar 2026, 06:00 – 2 Mar 2026, 06:00.");
  });

  test("that gathers an outage of Telegram says from when to when, and rings as it comes", () => {
    const rendering = render(aStorm({ late: true, endedAt: over, total: 340 }));
    expect(plain(rendering.html)).toContain(
      "Telegram could not be reached, 1 Mar 2026, 06:00–06:06; 340 alerts meanwhile.",
    );
    expect(rendering.reply).toBeUndefined();
  });

  test("whose state is forgotten says so", () => {
    const { kind } = card();
    expect(kind.render({ id: "s0" } as never, contextAt(over.toISOString())).html).toContain("nothing is kept");
  });
});

describe("its buttons", () => {
  const replies: CardAnswer[] = [];
  const views: ViewOrder[] = [];
  const context: ActionContext = {
    by,
    messages: messagesOf("en"),
    target: { chatId: -1 },
    reply: async (answer) => void replies.push(answer),
    open: async (view) => void views.push(view),
  };

  test("are Acknowledge all while something fires, the list, and the view", () => {
    expect(labelsOf(render(aStorm()))).toEqual(["Acknowledge all", "Full list", "Alerts"]);
    const counts = { critical: none, warning: { firing: 0, over: 5 }, info: none };
    expect(labelsOf(render(aStorm({ counts })))).toEqual(["Full list", "Alerts"]);
    // All of them have moved to cards of their own.
    const left = { critical: none, warning: none, info: none };
    const ended = { resolved: 0, closed: 0, noted: 0 };
    expect(labelsOf(render(aStorm({ counts: left, ended })))).toEqual(["Alerts"]);
    const { kind } = card();
    expect(
      kind.refusal?.({ summary: aStorm({ counts }), criticals: [] }, "acknowledge-all", messagesOf("en")),
    ).toContain("Nothing of it fires any more");
    expect(kind.actions["acknowledge-all"]?.role).toBe("operator");
    expect(kind.actions["full-list"]?.role).toBe("viewer");
  });

  test("acknowledge everything and say how many there were", async () => {
    const { kind, orders } = card();
    await kind.actions["acknowledge-all"]?.run({ summary: aStorm(), criticals: [] }, context);
    expect(orders).toEqual(["bob acknowledges s1"]);
    expect(replies.pop()?.html).toBe("👤 bob has acknowledged 340 alerts.");
  });

  test("give every one of 10,000 in a file, without holding anything up", async () => {
    const members = Array.from({ length: 10_000 }, (_, n) => ({
      ...critical(n),
      labels: { server: `db-${n}`, note: "x".repeat(200) },
    }));
    const { kind } = card({ members });
    let turns = 0;
    const others = setInterval(() => (turns += 1), 0);
    await kind.actions["full-list"]?.run({ summary: aStorm(), criticals: [] }, context);
    clearInterval(others);
    const { html, document } = replies.pop() ?? { html: "" };
    expect(html).toContain("All 10,000 alerts");
    expect(document?.text.split("\n\n")).toHaveLength(10_000);
    expect(document?.text).toContain("Database 9999 is down");
    expect(document?.text).toContain('server="db-9999"');
    expect(document?.text).toContain("Critical, firing since");
    // Others had their turn again and again meanwhile.
    expect(turns).toBeGreaterThan(20);
  });

  test("open the view of what is open", async () => {
    const { kind } = card();
    await kind.actions["alerts"]?.run({ summary: aStorm(), criticals: [] }, context);
    expect(views).toEqual([{ kind: "alerts", state: {} }]);
  });

  test("load the state anew: its numbers and its first critical ones", async () => {
    const { kind } = card({ members: [critical(1), { ...critical(2), severity: "warning" }] });
    expect((await kind.load?.("s1"))?.criticals.map(({ id }) => id)).toEqual(["id1"]);
    expect(await kind.load?.("gone")).toBeUndefined();
  });

  test("read no more of thousands than a message can name", async () => {
    const counts = { critical: { firing: 5000, over: 0 }, warning: none, info: none };
    const members = Array.from({ length: 5000 }, (_, n) => critical(n));
    const { kind } = card({ members, summary: aStorm({ counts }) });
    const { criticals = [] } = (await kind.load?.("s1")) ?? {};
    expect(criticals.length).toBeGreaterThan(150);
    expect(criticals.length).toBeLessThanOrEqual(250);
  });
});
