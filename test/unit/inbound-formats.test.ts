import { createHmac } from "node:crypto";
import { describe, expect, it, test } from "vitest";
import { identityOf, type Signal, severityOf } from "../../src/core/signal.ts";
import { alertmanagerHook } from "../../src/hooks/alertmanager/index.ts";
import { eventsHook } from "../../src/hooks/events/index.ts";
import { fill } from "../../src/hooks/events/template.ts";
import { grafanaHook } from "../../src/hooks/grafana/index.ts";
import { hooksSchema } from "../../src/hooks/index.ts";
import type { HookRequest } from "../../src/hooks/types.ts";
import { readJson } from "../../src/http/json.ts";
import { alertmanagerMessage, grafanaMessage } from "../support/hook-bodies.ts";

const now = new Date("2026-03-01T03:00:00Z");
const request = (body: string | Buffer, headers: Record<string, string> = {}, variant?: string): HookRequest => ({
  headers,
  raw: Buffer.from(body),
  now,
  variant,
});

const alertmanager = (body: unknown): readonly Signal[] => [...alertmanagerHook.parse(body, request(""), {}).signals];
const grafana = (body: unknown): readonly Signal[] => [...grafanaHook.parse(body, request(""), {}).signals];

function withAlert(change: Record<string, unknown>) {
  return { ...alertmanagerMessage, alerts: [{ ...alertmanagerMessage.alerts[0], ...change }] };
}

describe("Alertmanager", () => {
  test("says everything that an alert has", () => {
    const [firing, resolved] = alertmanager(alertmanagerMessage);
    expect(firing).toMatchObject({
      source: "alertmanager",
      fingerprint: "c6eadffa33fcdf37",
      status: "firing",
      severity: "critical",
      title: "Latency is high on a1",
      text: "The 99th percentile is 2.4 s.\nimpact: customers wait",
      labels: { alertname: "HighLatency", job: "api", instance: 'a"1:9090', severity: "page" },
      startsAt: "2026-03-01T02:58:11.739Z",
    });
    expect(firing?.endsAt).toBeUndefined();
    expect(firing?.truncated).toBeUndefined();
    expect(resolved).toMatchObject({
      status: "resolved",
      severity: "warning",
      title: "HighLatency",
      endsAt: "2026-03-01T02:59:00.000Z",
    });
    expect(resolved?.text).toBeUndefined();
  });

  test("links to the graph, to this very alert, to a silence for it, and to what the annotations name", () => {
    const filter = encodeURIComponent(
      String.raw`{alertname="HighLatency",instance="a\"1:9090",job="api",severity="page"}`,
    );
    expect(alertmanager(alertmanagerMessage)[0]?.links).toEqual([
      { kind: "source", url: "http://prometheus.example.org:9090/graph?g0.expr=latency&g0.tab=1" },
      { kind: "dashboard", url: "https://grafana.example.org/d/latency" },
      { kind: "runbook", url: "https://runbooks.example.org/latency" },
      { kind: "alertmanager", url: `http://alertmanager.example.org:9093/#/alerts?filter=${filter}` },
      { kind: "silence", url: `http://alertmanager.example.org:9093/#/silences/new?filter=${filter}` },
    ]);
  });

  test("offers no silence that would be about more than this alert", () => {
    const labels = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`label${index}`, "x".repeat(90)]));
    const kinds = alertmanager(withAlert({ labels }))[0]?.links?.map(({ kind, url }) => [kind, url]);
    expect(kinds).toContainEqual(["alertmanager", "http://alertmanager.example.org:9093/#/alerts"]);
    expect(kinds?.map(([kind]) => kind)).not.toContain("silence");
  });

  test("says of each alert how many others are missing", () => {
    const signals = alertmanager({ ...alertmanagerMessage, truncatedAlerts: 7 });
    expect(signals.map(({ truncated }) => truncated)).toEqual([7, 7]);
  });

  test("is the same from two servers of a cluster", () => {
    const other = { ...alertmanagerMessage, externalURL: "http://am-2:9093", groupKey: "{}:{}", receiver: "x" };
    expect(alertmanager(other).map(identityOf)).toEqual(alertmanager(alertmanagerMessage).map(identityOf));
  });

  test("tells alerts without a fingerprint apart by their labels, though the title counts along", () => {
    const about = (summary: string) => withAlert({ fingerprint: undefined, annotations: { summary } });
    const identities = [about("93 %"), about("97 %")].map((body) => identityOf(alertmanager(body)[0] as Signal));
    expect(identities[0]).toBe(identities[1]);
  });

  test("takes what Go makes of nothing: null", () => {
    const [signal] = alertmanager(withAlert({ labels: null, annotations: null, startsAt: "0001-01-01T00:00:00Z" }));
    expect(signal).toMatchObject({ title: "?", labels: {}, severity: "warning" });
    expect(signal?.startsAt).toBeUndefined();
    expect(alertmanager({ ...alertmanagerMessage, alerts: null })).toEqual([]);
  });

  test("names what has no name by its labels", () => {
    expect(alertmanager(withAlert({ labels: { job: "x", env: "prod" }, annotations: {} }))[0]?.title).toBe(
      "job=x, env=prod",
    );
  });
});

describe("severity", () => {
  it.each([
    ["critical", ["critical", "CRITICAL", " page ", "emergency", "disaster", "fatal", "high"]],
    ["warning", ["warning", "warn", "error", "medium", "major"]],
    ["info", ["info", "none", "low", "debug", "notice"]],
    [undefined, ["", "purple", undefined]],
  ])("%s", (severity, words) => {
    for (const word of words) expect(severityOf(word)).toBe(severity);
  });

  it("of an unknown word is a warning", () => {
    expect(alertmanager(withAlert({ labels: { severity: "purple" } }))[0]?.severity).toBe("warning");
    expect(alertmanager(withAlert({ labels: {} }))[0]?.severity).toBe("warning");
  });
});

describe("Grafana", () => {
  test("says everything that an alert has", () => {
    const [first, second] = grafana(grafanaMessage);
    expect(first).toMatchObject({
      source: "grafana",
      fingerprint: "c6eadffa33fcdf37",
      status: "firing",
      severity: "warning",
      title: "This alert was triggered for zone us-1",
      text: "The system has high memory usage\nB = 44.23943737541908, C = 1",
      startsAt: "2021-10-12T07:51:03.157Z",
    });
    expect(first?.links?.map(({ kind }) => kind)).toEqual(["source", "runbook", "dashboard", "panel", "silence"]);
    expect(second).toMatchObject({ title: "High CPU usage", text: "[ var='A' value=3 ]" });
  });

  test("tells the message of the group when there is one alert in it", () => {
    const single = { ...grafanaMessage, alerts: [grafanaMessage.alerts[1]] };
    expect(grafana(single)[0]?.text).toBe(`${grafanaMessage.message}\n[ var='A' value=3 ]`);
  });

  test("says nothing of annotations that are its own business", () => {
    const [alert] = grafanaMessage.alerts;
    const annotations = { summary: "a", __dashboardUid__: "x", __values__: "{}" };
    const [signal] = grafana({ ...grafanaMessage, alerts: [{ ...alert, annotations, values: null, valueString: "" }] });
    expect(signal?.text).toBe(grafanaMessage.message);
  });

  describe("signature", () => {
    const secret = "test-hmac-secret-0123";
    const body = '{"alerts":[]}';
    const sign = (text: string): string => createHmac("sha256", secret).update(text).digest("hex");
    const unix = String(now.getTime() / 1000);
    const prove = (
      headers: Record<string, string>,
      config: { secret?: string; timestampHeader?: string } = { secret },
    ) => grafanaHook.authenticate?.(request(body, headers), config);

    it("of a published vector", () => {
      // RFC 4231, test case 2 has a shorter key than the configuration takes; the function does not mind.
      const vector = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
      const headers = { "x-grafana-alerting-signature": vector };
      expect(grafanaHook.authenticate?.(request("what do ya want for nothing?", headers), { secret: "Jefe" })).toBe(
        "proven",
      );
    });

    it("of the time and the body", () => {
      // HMAC-SHA256 of "1700000000:{"a":1}" with the key "gkey", as a public test suite has it.
      const headers = {
        "x-grafana-alerting-signature": "22fa362e179e150a7005766ee09f7a41a115d22c6499140a58c3eb23b8e70198",
        "x-grafana-alerting-timestamp": "1700000000",
      };
      const arrived = { ...request('{"a":1}', headers), now: new Date(1_700_000_100_000) };
      expect(grafanaHook.authenticate?.(arrived, { secret: "gkey" })).toBe("proven");
      expect(grafanaHook.authenticate?.({ ...arrived, raw: Buffer.from('{"a":2}') }, { secret: "gkey" })).toBe("wrong");
    });

    it.each([
      ["the body's", { "x-grafana-alerting-signature": sign(body) }, "proven"],
      ["in capitals", { "x-grafana-alerting-signature": sign(body).toUpperCase() }, "proven"],
      ["another body's", { "x-grafana-alerting-signature": sign(`${body} `) }, "wrong"],
      ["not one", { "x-grafana-alerting-signature": "yes" }, "wrong"],
      ["empty", { "x-grafana-alerting-signature": "" }, "wrong"],
      ["not there", {}, "none"],
    ])("that is %s", (_what, headers: Record<string, string>, proof) => expect(prove(headers)).toBe(proof));

    it.each([
      [0, "proven"],
      [299, "proven"],
      [-299, "proven"],
      [301, "expired"],
      [-301, "expired"],
    ])("made %i s ago", (ago, proof) => {
      const at = String(Number(unix) - ago);
      const signature = sign(`${at}:${body}`);
      expect(prove({ "x-grafana-alerting-signature": signature, "x-grafana-alerting-timestamp": at })).toBe(proof);
    });

    it("needs the time when the configuration names its header, wherever that is", () => {
      const config = { secret, timestampHeader: "X-When" };
      expect(prove({ "x-grafana-alerting-signature": sign(body) }, config)).toBe("wrong");
      const signed = { "x-grafana-alerting-signature": sign(`${unix}:${body}`) };
      expect(prove({ ...signed, "x-when": unix }, config)).toBe("proven");
      expect(prove(signed, config)).toBe("wrong");
    });

    it("proves nothing without a secret", () => {
      expect(prove({ "x-grafana-alerting-signature": sign(body) }, {})).toBe("none");
    });
  });
});

describe("formats of events", () => {
  const read = (body: unknown, format: Record<string, unknown>) => {
    const { events } = hooksSchema.parse({ events: { formats: { theirs: { title: "{name}", ...format } } } });
    if (!events) throw new Error("no events");
    return [...eventsHook.parse(body, request("", {}, "theirs"), events).signals];
  };

  test("are events of that name, of which only changes are told", () => {
    expect(read({ name: "a" }, {})).toMatchObject([
      { source: "theirs", title: "a", status: "info", severity: "info", labels: {}, repeats: false },
    ]);
  });

  test("take lists, where they are said to be", () => {
    expect(read([{ name: "a" }, { name: "b" }], {}).map(({ title }) => title)).toEqual(["a", "b"]);
    expect(read({ data: { all: [{ name: "a" }] } }, { each: "data.all" })).toHaveLength(1);
    expect(() => read({ data: {} }, { each: "data.all" })).toThrow("data.all: expected a list");
  });

  test("translate the words of a status, and skip what is none of our business", () => {
    const format = { status: "{state}", statuses: { bad: "firing", good: "resolved", "*": "skip" } };
    const states = ["bad", "good", "else", "toString"].map((state) => ({ name: "a", state }));
    expect(read(states, format).map(({ status }) => status)).toEqual(["firing", "resolved"]);
    expect(() => read({ name: "a", state: "x" }, { status: "{state}" })).toThrow("does not know");
    expect(() => read({ name: "a" }, { status: "{state}" })).toThrow("none of the templates");
    expect(read({ name: "a", state: "firing" }, { status: "{state}" })[0]?.severity).toBe("warning");
  });

  test("refuse what has no title, and name it", () => {
    expect(() => read([{ name: "a" }, { name: "" }], {})).toThrow("[1]: none of the templates of `title` fits");
    expect(() => read([{ name: "a" }, 3], {})).toThrow("[1]: expected an object");
  });

  test("have names that are nobody else's", () => {
    const formats = (name: string) =>
      hooksSchema.safeParse({ events: { formats: { [name]: { title: "x" } } } }).success;
    expect(["minio", "watch", "grafana", "heartbeat", "A", "a b", ""].map(formats)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test("fill templates with what is there, and with nothing that is not the sender's", () => {
    const item = { a: { b: [{ c: 0 }, "x y"] }, "d-e": "q%2Fr+s%zz", empty: "", none: null, list: [1, 2] };
    expect(fill("{a.b.0.c} and {a.b.1}", item)).toBe("0 and x y");
    expect(fill(["{empty}", "{none}", "{no.such}", "{constructor.name}", "fallback"], item)).toBe("fallback");
    expect(fill("{list}", item)).toBe("[1,2]");
    expect(fill("{d-e|decode}", item)).toBe("q%2Fr+s%zz");
    expect(fill("{x|decode}", { x: "q%2Fr+s" })).toBe("q/r s");
    expect(fill("{none}", item)).toBeUndefined();
  });
});

describe("a body that is not JSON", () => {
  it.each([
    ["hello", "line 1, column 1"],
    ['{"a": hello}', "line 1, column 7"],
    ['{\n  "a": 1,\n  "b" 2\n}', "line 3, column 7"],
    ['{"a":1', "line 1, column 7"],
    ["[1,]", "line 1, column 4"],
    [`{"alerts":[${"1,".repeat(50)}x]}`, "line 1, column 112"],
    [`${" ".repeat(300_000)}x`, undefined],
  ])("%# is refused with the place of the mistake", (text, place) => {
    const line = place === undefined ? "the body is not JSON" : `the body is not JSON: ${place}`;
    expect(() => readJson(Buffer.from(text))).toThrow(new RegExp(`^${line}$`));
  });

  it("nothing at all is said to be empty", () => {
    expect(() => readJson(Buffer.from(" \n"))).toThrow("the body is empty: JSON was expected");
    expect(readJson(Buffer.from("\uFEFF[1]"))).toEqual([1]);
  });
});
