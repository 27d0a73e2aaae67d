import { describe, expect, it } from "vitest";
import type { LookFailure, ServerReading, ServerStatus } from "../../src/core/server.ts";
import { accountFault, serverFault } from "../../src/core/server-faults.ts";
import { afterFacts, afterLook, isStale, type NotedLook, type ServerState } from "../../src/core/server-state.ts";

const minute = 60_000;
const start = Date.parse("2026-03-01T12:00:00Z");
const at = (ms: number): Date => new Date(start + ms);
const reason = { key: "look-statistics-silent" };

let looks = 0;
const note = (before: ServerState | undefined, look: NotedLook, now: Date) => afterLook(before, look, ++looks, now);
const good = (reading: Partial<ServerReading> = {}): NotedLook => ({
  name: "web-1",
  reading: { at: at(0), metrics: { cpu: 1 }, ...reading },
  tookMs: 5,
});
const bad = (failure: LookFailure, more: object = {}): NotedLook => ({
  name: "web-1",
  failure,
  reason,
  tookMs: 5,
  ...more,
});

/** What is known after these looks, five minutes apart. */
function looked(...all: readonly NotedLook[]): ServerState {
  let state: ServerState | undefined;
  for (const [index, look] of all.entries()) state = note(state, look, at(index * 5 * minute)).state;
  if (!state) throw new Error("no looks");
  return state;
}

describe("what is known of a server", () => {
  it("keeps the newest values while looks fail, and counts the failures", () => {
    const state = looked(good({ metrics: { cpu: 42 }, status: "on" }), bad("unreachable"), bad("garbage"));
    expect(state).toMatchObject({
      reading: { metrics: { cpu: 42 } },
      goodAt: at(0),
      lookedAt: at(10 * minute),
      status: "on",
    });
    expect(state.failure).toEqual({ kind: "garbage", reason, since: at(5 * minute), count: 2 });
    expect(isStale(state, 5 * minute, at(15 * minute))).toBe(false);
    expect(isStale(state, 5 * minute, at(15 * minute + 1))).toBe(true);
    expect(looked(bad("no-data"), good()).failure).toBeUndefined();
  });

  it("counts anew when the account was what failed", () => {
    expect(looked(bad("account"), bad("account"), bad("unreachable")).failure).toMatchObject({
      count: 1,
      since: at(10 * minute),
    });
    expect(looked(bad("unreachable"), bad("account")).failure).toMatchObject({ kind: "account", count: 1 });
  });

  it("never has it begin in the future when the clock was set back", () => {
    const first = note(undefined, bad("unreachable"), at(0)).state;
    expect(note(first, bad("unreachable"), at(-60 * minute)).state.failure?.since).toEqual(at(-60 * minute));
  });

  it.each<[string, Partial<ServerReading>, Partial<ServerReading>, boolean]>([
    ["is newer by more than clocks differ", { bootedAt: at(-1e8) }, { bootedAt: at(4 * minute) }, true],
    ["is the same but for rounding", { bootedAt: at(-1e8) }, { bootedAt: at(-1e8 + 2000) }, false],
    [
      "is told by a time of running that begins anew",
      { metrics: { uptime: 9000 } },
      { at: at(5 * minute), metrics: { uptime: 60 } },
      true,
    ],
    [
      "moves with the server's clock while it runs on",
      { bootedAt: at(-1e8), metrics: { uptime: 1e5 } },
      { bootedAt: at(-1e8 + 60 * minute), metrics: { uptime: 1e5 + 300 } },
      false,
    ],
    [
      "was soon after the one before",
      { bootedAt: at(-minute), metrics: { uptime: 60 } },
      { bootedAt: at(minute), metrics: { uptime: 240 } },
      true,
    ],
    ["is not told", {}, {}, false],
  ])("tells of a start that %s", (_, before, next, booted) => {
    const { state } = note(undefined, good(before), at(0));
    const { events } = note(state, good(next), at(5 * minute));
    expect(events.map(({ kind }) => kind)).toEqual(booted ? ["booted"] : []);
  });

  it("tells when it goes off and comes on, is deleted and back, and gets another name", () => {
    const kinds = (before: ServerStatus | undefined, next: ServerStatus) =>
      note(note(undefined, good({ status: before }), at(0)).state, good({ status: next }), at(1)).events.map(
        ({ kind }) => kind,
      );
    expect(kinds("on", "off")).toEqual(["off"]);
    expect(kinds("off", "on")).toEqual(["on"]);
    expect(kinds("on", "rebooting")).toEqual([]);
    expect(kinds(undefined, "off")).toEqual([]);
    const gone = note(looked(good()), bad("gone"), at(1));
    expect(gone.events.map(({ kind }) => kind)).toEqual(["gone"]);
    expect(note(gone.state, bad("gone"), at(2)).events).toEqual([]);
    expect(note(gone.state, good(), at(2)).events.map(({ kind }) => kind)).toEqual(["back"]);
    const facts = (providerName: string) => ({ providerName, disks: [], addresses: [] });
    const named = afterFacts(looked(good()), "web-1", facts("old"), at(1));
    expect(named.events).toEqual([]);
    expect(afterFacts(named.state, "web-1", facts("new"), at(2)).events).toEqual([
      { at: at(2), kind: "renamed", from: "old", to: "new" },
    ]);
    const renamed = afterFacts(named.state, "web-1", facts("new"), at(2)).state;
    // Until it is told: from the name that people know, and nothing when it has that one again.
    expect(note(renamed, bad("unreachable"), at(3)).state.untold).toMatchObject({ from: "old", to: "new" });
    expect(afterFacts(renamed, "web-1", facts("newer"), at(3)).state.untold).toMatchObject({
      from: "old",
      to: "newer",
    });
    expect(afterFacts(renamed, "web-1", facts("old"), at(3)).state.untold).toBeUndefined();
    expect(afterFacts(undefined, "web-2", facts("x"), at(1)).state.name).toBe("web-2");
  });
});

describe("the fault of a server", () => {
  const of = (...all: readonly NotedLook[]) => {
    const fault = serverFault(looked(...all));
    return fault && `${fault.severity} ${fault.kind}`;
  };

  it("is told after two failed looks, what its provider says at once", () => {
    expect(of(good(), bad("unreachable"))).toBeUndefined();
    expect(of(good(), bad("unreachable"), bad("unreachable"))).toBe("critical unreachable");
    expect(of(bad("garbage"), bad("refused"))).toBe("warning refused");
    expect(of(bad("no-data", { ofApi: true }), bad("no-data", { ofApi: true }))).toBe("warning api");
    expect(of(bad("gone"))).toBe("critical deleted");
    expect(of(good({ status: "off", metrics: {} }))).toBe("critical off");
    expect(of(good({ status: "blocked", metrics: {} }))).toBe("critical blocked");
    expect(of(good({ status: "removed", metrics: {} }))).toBe("critical deleted");
    expect(of(good({ status: "rebooting", metrics: {} }))).toBeUndefined();
  });

  it("is that it is on its way for long, and nothing is measured", () => {
    const away = good({ status: "rebooting", metrics: {} });
    const busy = good({ status: "busy", metrics: {} });
    expect(of(away, busy, away, busy)).toBeUndefined();
    expect(of(away, busy, away, busy, away)).toBe("warning stuck");
    expect(of(away, busy, away, busy, away, good({ status: "on" }))).toBeUndefined();
    expect(of(away, busy, away, busy, good({ status: "on" }), away)).toBeUndefined();
    const early = note(undefined, away, at(0)).state;
    // One jump of the clock is not twenty minutes of looks.
    expect(serverFault(note(early, away, at(60 * minute)).state)).toBeUndefined();
  });

  it("is not the account's", () => {
    expect(of(bad("account"), bad("account"), bad("account"))).toBeUndefined();
    expect(of(bad("account"), bad("unreachable"))).toBeUndefined();
  });
});

describe("the fault of an account", () => {
  const states = (...all: readonly (readonly [number, NotedLook])[]): ServerState[] =>
    all.map(([number, look], index) => afterLook(undefined, { ...look, name: `s-${index}` }, number, at(number)).state);
  const of = (all: readonly ServerState[], now = at(minute)) => {
    const fault = accountFault(all, now);
    return fault && `${fault.severity} ${fault.kind}`;
  };

  it("needs two looks, or one that says it will stay so", () => {
    expect(of([])).toBeUndefined();
    expect(of(states([1, bad("account")]))).toBeUndefined();
    expect(of(states([1, bad("account")], [2, bad("account")]))).toBe("warning api");
    expect(of([looked(bad("account"), bad("account"))])).toBe("warning api");
    expect(of(states([1, bad("account", { permanent: true })]))).toBe("critical token");
  });

  it("is critical when it lasts", () => {
    const all = states([1, bad("account")], [2, bad("account")]);
    expect(of(all, at(15 * minute))).toBe("warning api");
    expect(of(all, at(15 * minute + 2))).toBe("critical api");
  });

  it("is over with the first values, not with what is known of one that is off", () => {
    expect(of(states([1, bad("account")], [2, bad("account")], [3, good()]))).toBeUndefined();
    expect(of(states([1, good()], [2, bad("account")], [3, bad("account")]))).toBe("warning api");
    expect(of(states([1, bad("account")], [2, bad("account")], [3, good({ status: "off", metrics: {} })]))).toBe(
      "warning api",
    );
    expect(of(states([1, bad("account")], [2, bad("account")], [3, bad("no-data", { ofApi: true })]))).toBe(
      "warning api",
    );
  });
});
