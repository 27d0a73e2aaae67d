import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { identityOf, type Signal, severities } from "../../src/core/signal.ts";
import { hookKinds, hooksSchema, partOf } from "../../src/hooks/index.ts";
import { limits } from "../../src/hooks/read.ts";
import type { HookRequest } from "../../src/hooks/types.ts";
import { alertmanagerMessage, grafanaMessage } from "../support/hook-bodies.ts";

/** What the suite needs to know of a kind: how one says the same thing as another. */
interface World {
  /** A body as its sender makes it. */
  readonly example: unknown;
  /** One alert with these parts. */
  readonly one: (said: Said) => unknown;
  /** A body with nothing in it. */
  readonly empty: unknown;
  readonly unusable: readonly (readonly [unknown, string])[];
}

interface Said {
  readonly status?: string;
  readonly title?: string;
  readonly text?: string;
  readonly labels?: Record<string, unknown>;
  readonly url?: string;
  readonly startsAt?: string;
}

function grouped({ status = "firing", title = "Down", text = "", labels = { instance: "a" }, url, startsAt }: Said) {
  const annotations = { summary: title, description: text, runbook_url: url ?? "" };
  const at = startsAt ?? "2026-03-01T03:00:00Z";
  return { status, alerts: [{ status, labels, annotations, startsAt: at, endsAt: "0001-01-01T00:00:00Z" }] };
}

const worlds: Readonly<Record<string, World>> = {
  alertmanager: {
    example: alertmanagerMessage,
    one: grouped,
    empty: { ...alertmanagerMessage, alerts: [] },
    unusable: [
      [{}, "alerts: "],
      [{ alerts: "none" }, "alerts: "],
      [{ alerts: [{ status: "burning", labels: {} }] }, "alerts[0].status: "],
      [{ alerts: [{ status: "firing", labels: [1] }] }, "alerts[0].labels: "],
      [{ alerts: [{ status: "firing", labels: {}, startsAt: "yesterday" }] }, "alerts[0].startsAt: "],
      [{ alerts: [{ status: "firing" }, 7] }, "alerts[1]: "],
    ],
  },
  grafana: {
    example: grafanaMessage,
    one: (said) => ({ ...grouped(said), orgId: 1 }),
    empty: { ...grafanaMessage, alerts: [] },
    unusable: [
      [{}, "alerts: "],
      [{ alerts: [{ status: "alerting", labels: {} }] }, "alerts[0].status: "],
      [{ alerts: [{ status: "firing", values: 3 }] }, "alerts[0].values: "],
    ],
  },
  events: {
    example: [
      { fingerprint: "a", status: "firing", severity: "critical", title: "Down", labels: { host: "a", port: 80 } },
      { status: "info", title: "Released" },
    ],
    one: ({ status = "firing", title = "Down", text, labels, url, startsAt }) => ({
      status,
      title,
      ...(text === undefined ? {} : { text }),
      ...(labels === undefined ? {} : { labels }),
      ...(url === undefined ? {} : { url }),
      ...(startsAt === undefined ? {} : { startsAt }),
    }),
    empty: [],
    unusable: [
      [{}, "status: "],
      [{ status: "firing" }, "title: "],
      [{ status: "firing", title: "  " }, "title: "],
      [[{ status: "info", title: "a" }, { title: "b" }], "[1].status: "],
      [[{ status: "info", title: "a" }, null], "[1]: "],
      [{ status: "firing", title: "a", severity: "purple" }, "severity: "],
      [{ status: "firing", title: "a", startsAt: "2026-13-01T00:00:00Z" }, "startsAt: "],
    ],
  },
};

const now = new Date("2026-03-01T03:00:00Z");

it("knows how each kind speaks, and the configuration has a part for each", () => {
  expect(Object.keys(worlds).toSorted()).toEqual([...hookKinds.keys()].toSorted());
  expect(Object.keys(hooksSchema.shape).toSorted()).toEqual([...hookKinds.keys()].toSorted());
});

describe.each([...hookKinds.values()])("$kind", (kind) => {
  const world = worlds[kind.kind] as World;
  const read = (body: unknown): readonly Signal[] => {
    const request: HookRequest = { headers: {}, raw: Buffer.from(JSON.stringify(body) ?? ""), now };
    return [...kind.parse(body, request, partOf({}, kind)).signals];
  };
  const only = (said: Said): Signal => {
    const [signal, ...more] = read(world.one(said));
    if (!signal || more.length > 0) throw new Error(`${more.length} signals`);
    return signal;
  };
  const refusal = (body: unknown): string => {
    try {
      read(body);
    } catch (error) {
      if (error instanceof AppError && error.code === "http") return error.message;
      throw error;
    }
    throw new Error("it was taken");
  };

  it("reads what its sender makes, into plain data", () => {
    const signals = read(world.example);
    expect(signals.length).toBeGreaterThan(0);
    for (const signal of signals) {
      expect(signal.title).not.toBe("");
      expect(severities).toContain(signal.severity);
      expect(JSON.parse(JSON.stringify(signal))).toEqual(JSON.parse(JSON.stringify({ ...signal })));
    }
  });

  it("ignores keys that it does not know, wherever they are", () => {
    const extended = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(extended);
      if (typeof value !== "object" || value === null) return value;
      const isMap = (name: string): boolean => /labels|annotations|values/i.test(name);
      const entries = Object.entries(value).map(([name, inner]) => [name, isMap(name) ? inner : extended(inner)]);
      return { ...Object.fromEntries(entries), brandNew: { since: [2031] } };
    };
    expect(read(extended(world.example))).toEqual(read(world.example));
  });

  it("takes a body without alerts for what it is", () => {
    expect(read(world.empty)).toEqual([]);
  });

  it.each(world.unusable)("refuses %j in one line that names the place", (body, place) => {
    const line = refusal(body);
    expect(line.startsWith(place)).toBe(true);
    expect(line).not.toMatch(/\n/);
    expect(line.length).toBeLessThan(400);
  });

  it.each([null, true, 7, "text", [[]], [null]])("refuses %j", (body) => {
    expect(refusal(body)).toMatch(/^\S.*: \S/);
  });

  it("either takes any JSON or refuses it in one line", () => {
    const parts = fc.oneof(fc.jsonValue(), fc.constantFrom("firing", "resolved", "info", "2026-03-01T03:00:00Z", ""));
    const keys = fc.constantFrom(
      "status",
      "title",
      "labels",
      "annotations",
      "startsAt",
      "fingerprint",
      "url",
      "values",
    );
    const alert = fc.dictionary(keys, fc.oneof(parts, fc.dictionary(fc.string(), parts)));
    const body = fc.oneof(fc.jsonValue(), alert, fc.array(alert), fc.record({ alerts: fc.array(alert) }));
    fc.assert(
      fc.property(body, (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        let titles: readonly unknown[] = [];
        try {
          titles = read(parsed).map(({ title }) => title);
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "http") throw error;
        }
        expect(titles).not.toContain("");
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same identity for the end as for the beginning, in whatever order the labels come", () => {
    const firing = only({ labels: { alertname: "X", instance: "a", job: "b" }, startsAt: "2026-03-01T03:00:00Z" });
    const again = only({ labels: { job: "b", instance: "a", alertname: "X" }, startsAt: "2026-03-01T03:00:00.000Z" });
    const end = only({ status: "resolved", labels: { instance: "a", alertname: "X", job: "b" } });
    const other = only({ labels: { alertname: "X", instance: "a2", job: "b" } });
    expect(identityOf(again)).toBe(identityOf(firing));
    expect(identityOf(end)).toBe(identityOf(firing));
    expect(identityOf(other)).not.toBe(identityOf(firing));
    expect([again.startsAt, firing.startsAt]).toEqual(["2026-03-01T03:00:00.000Z", "2026-03-01T03:00:00.000Z"]);
  });

  it("makes texts of labels' values", () => {
    const { labels } = only({ labels: { a: 1, b: true, c: "x", d: null, e: ["y"] } });
    expect(labels).toEqual({ a: "1", b: "true", c: "x", e: '["y"]' });
  });

  it("says how much it has left out of what is too long, and still tells two of them apart", () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`l${index}`, "v".repeat(2000)]));
    const huge = only({ title: "t".repeat(5000), text: "x".repeat(300_000), labels: many });
    expect(huge.title).toHaveLength(limits.title);
    expect(huge.title).toMatch(/…$/);
    expect(Object.keys(huge.labels)).toHaveLength(limits.labels);
    expect(huge.text).toMatchObject({ key: "inbound-shortened", args: { labels: 200 } });
    const { text = "", characters = 0 } = (huge.text as { args: { text?: string; characters?: number } }).args;
    expect(text).toHaveLength(limits.text);
    // The whole title is part of the text then.
    expect(text.length + characters).toBeGreaterThanOrEqual(305_000);
    expect(JSON.stringify(huge).length).toBeLessThan(200_000);
    const sibling = only({
      title: "t".repeat(5000),
      text: "x".repeat(300_000),
      labels: { ...many, l199: "something else" },
    });
    expect(identityOf(sibling)).not.toBe(identityOf(huge));
  });

  it("says when a link is too long", () => {
    const { links = [], text } = only({ url: `https://example.org/${"x".repeat(3000)}`, text: "more" });
    expect([links, text]).toEqual([
      [],
      { key: "inbound-shortened", args: { text: "more", characters: 0, labels: 0, links: 1 } },
    ]);
  });

  it("tells a title that is too long in full", () => {
    const title = `${"word ".repeat(100)}end`;
    const signal = only({ title, text: "more" });
    expect(signal.title).toHaveLength(limits.title);
    expect(signal.text).toBe(`${title}\n\nmore`);
  });

  it("keeps a title on one line, and half of a pair of surrogates out", () => {
    expect(only({ title: "a\n\tb\u0000c  d\uD83D" }).title).toBe("a b c d\uFFFD");
  });

  it.each(["javascript:alert(1)", "file:///etc/passwd", "//host/x", "data:text/html,x", "nothing", ""])(
    "makes no link of %s",
    (url) => expect(only({ url }).links ?? []).toEqual([]),
  );

  it("makes links of web addresses", () => {
    expect(only({ url: "https://example.org/a?b=c" }).links?.map(({ url }) => url)).toEqual([
      "https://example.org/a?b=c",
    ]);
  });
});
