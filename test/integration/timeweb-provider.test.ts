import { describe, expect, test } from "vitest";
import { surelyNotDone } from "../../src/core/errors.ts";
import { powerActions } from "../../src/core/power.ts";
import type { Look } from "../../src/providers/types.ts";
import { manyServers } from "../../src/sandbox/timeweb/index.ts";
import { Rates } from "../../src/state/rates.ts";
import { useRedis } from "../support/state.ts";
import { lookAt, looksAt, never, openTimeweb, readingOf, startTimeweb, target } from "../support/timeweb.ts";

const fixture = useRedis();
const minute = 60_000;
const list = "^/api/v1/servers\\?";
/** Form (a) of a server's statistics; (b) has more after it. */
const statistics = (id: number | string) => `/servers/${id}/statistics\\?`;
const anyStatistics = (id: number | string) => `/servers/${id}/statistics`;

describe("a look at a server", () => {
  test("gives its status and newest measurements, in our units", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    const before = new Date(clock.now().getTime() - 10 * minute);
    sandbox.setLoad(101, { cpu: 0.5, memory: 0.25, networkIn: 2, networkOut: 1 }, 60 * minute, before);
    sandbox.setDisk(101, { size: 1000, used: 250, growth: 0 });
    const reading = await readingOf(provider, 101);
    expect(reading.status).toBe("on");
    expect(clock.now().getTime() - reading.at.getTime()).toBeLessThan(2 * minute);
    expect(reading.metrics).toMatchObject({
      memory: 25,
      network_in: 2 * 1024 ** 2,
      network_out: 1024 ** 2,
      disk: 25,
      disk_free: 750 * 1024 ** 2,
    });
    expect(reading.metrics.cpu).toBeGreaterThan(45);
    expect(reading.metrics.cpu).toBeLessThan(55);
    expect(reading.bootedAt).toEqual(new Date(sandbox.server(101).startedAt));
    const up = reading.at.getTime() - Date.parse(sandbox.server(101).startedAt);
    expect(reading.metrics.uptime).toBe(Math.round(up / 1000));
  });

  test("goes along with a reboot, and asks for measurements only of what is on", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    const before = await readingOf(provider, 101);
    await provider.power?.order(target(101), "reboot", never);
    const seen: unknown[] = [];
    sandbox.forgetRequests();
    for (const ms of [0, 21_000, 3000]) {
      clock.advance(ms);
      const other = openTimeweb(sandbox, clock);
      seen.push((await readingOf(other, 101)).status);
    }
    expect(seen).toEqual(["rebooting", "off", "starting"]);
    expect(Object.keys(sandbox.counts())).toEqual(["GET /api/v1/servers"]);
    clock.advance(3 * minute);
    const after = await readingOf(provider, 101);
    expect(after.status).toBe("on");
    expect(after.bootedAt?.getTime()).toBeGreaterThan(before.at.getTime());
  });

  test("listed half-way through a reboot, it is not told to be off when it has long been on", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    sandbox.power(101, "reboot");
    clock.advance(21_000);
    expect(await readingOf(provider, 101)).toMatchObject({ status: "off" });
    // The list is as good as new for all that is on.
    clock.advance(30_000);
    expect(await readingOf(provider, 101)).toMatchObject({ status: "on" });
    expect((await provider.facts?.([target(101)], never))?.get("s101")).toMatchObject({ status: "on" });
    expect(sandbox.counts()["GET /api/v1/servers"]).toBe(1);
    // What can not be asked anew stands as it was listed, where nothing depends on it.
    sandbox.addFault({ kind: "status", status: 500, path: "/servers/101$" });
    expect((await provider.facts?.([target(101)], never))?.get("s101")).toMatchObject({ status: "off" });
  });

  test.each([
    ["no_paid", "blocked"],
    ["installing", "busy"],
    ["removing", "removed"],
    ["off", "off"],
  ])("whose status is %s reads as %s", async (word, status) => {
    const { sandbox, provider } = await startTimeweb();
    sandbox.setStatus(101, word);
    expect(await readingOf(provider, 101)).toMatchObject({ status, metrics: {} });
    expect((await provider.facts?.([target(101)], never))?.get("s101")?.statusWord).toBe(word);
  });

  test("with a status that nobody knows is read all the same, measured or not", async () => {
    const { sandbox, provider } = await startTimeweb();
    sandbox.setStatus(101, "dreaming");
    expect(await readingOf(provider, 101)).toMatchObject({ status: "unknown", metrics: { disk: expect.any(Number) } });
  });

  test("that is renamed is found by its number", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    sandbox.renameServer(101, "web-new");
    clock.advance(2 * minute);
    expect((await readingOf(provider, 101)).status).toBe("on");
    expect((await provider.facts?.([target(101)], never))?.get("s101")?.providerName).toBe("web-new");
  });

  test("uses the other form of statistics when the first one fails: then there is no memory", async () => {
    const { sandbox, provider } = await startTimeweb({
      faults: [{ kind: "status", status: 410, path: statistics(101) }],
    });
    const { metrics } = await readingOf(provider, 101);
    expect(metrics.cpu).toBeGreaterThan(0);
    expect(metrics.network_in).toBeGreaterThan(0);
    expect(metrics.memory).toBeUndefined();
    expect(sandbox.counts()["GET /api/v1/servers/:id/statistics/:from/:period/:keys"]).toBe(1);
  });

  test("survives a connection that breaks once", async () => {
    const { provider } = await startTimeweb({ faults: [{ kind: "reset", path: statistics(101), times: 1 }] });
    expect((await readingOf(provider, 101)).metrics.memory).toBeGreaterThan(0);
  });

  test("is not confused by a clock of ours that is wrong", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    // Ours is four hours behind theirs.
    sandbox.advance(240 * minute);
    const reading = await readingOf(provider, 101);
    expect(reading.status).toBe("on");
    expect(reading.metrics.cpu).toBeGreaterThan(0);
    expect(reading.at.getTime() - clock.now().getTime()).toBeGreaterThan(230 * minute);
  });
});

describe("what goes wrong with one server is its own affair", () => {
  test("it is gone when the API says so in its own words, and only then", async () => {
    const { sandbox, provider } = await startTimeweb();
    sandbox.deleteServer(101);
    const looks = await looksAt(provider, 101, 102);
    expect(looks.get("s101")).toMatchObject({ failure: "gone", reason: { key: "look-gone", args: { id: "101" } } });
    expect(looks.get("s102")).toHaveProperty("reading");
    expect(looks.get("s101")).not.toHaveProperty("ofApi");
    expect([...((await provider.facts?.([target(101), target(102)], never)) ?? new Map()).keys()]).toEqual(["s102"]);
  });

  test("a page of the edge in place of that word says nothing", async () => {
    const { sandbox, provider } = await startTimeweb();
    sandbox.deleteServer(101);
    sandbox.addFault({ kind: "status", status: 404, body: "html", path: "/servers/101$" });
    expect(await lookAt(provider, 101)).toMatchObject({ failure: "no-data", ofApi: true });
  });

  test("deleted since the list was read, it is gone as well", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    await readingOf(provider, 101);
    sandbox.deleteServer(101);
    clock.advance(1000);
    expect(await lookAt(provider, 101)).toMatchObject({ failure: "gone" });
  });

  test.each([
    ["no answer", { kind: "silent" }, "no-data", "look-statistics-silent"],
    ["an error", { kind: "status", status: 500 }, "garbage", "look-statistics-status"],
    ["a page of the edge", { kind: "status", status: 404, body: "html" }, "no-data", "look-statistics-status"],
    ["garbage", { kind: "garbage" }, "garbage", "look-statistics-garbage"],
    ["a refusal", { kind: "status", status: 403 }, "refused", "look-statistics-status"],
    ["404 of a server that is there", { kind: "status", status: 404 }, "no-data", "look-statistics-status"],
  ] as const)(
    "its statistics meeting %s: the API's fault, and the others are there at once",
    async (_name, fault, failure, key) => {
      const { sandbox, clock } = await startTimeweb({ faults: [{ ...fault, path: anyStatistics(101) }] });
      const provider = openTimeweb(sandbox, clock, {}, { timeout: "500ms" });
      const looks: Look[] = [];
      for await (const look of provider.looks([target(101), target(102)], never)) looks.push(look);
      const at = looks.findIndex(({ name }) => name === "s101");
      expect(looks[at]).toMatchObject({ failure, ofApi: true, reason: { key } });
      expect(looks[1 - at]).toMatchObject({ name: "s102", reading: { status: "on" } });
      // Where nothing is answered, the other one is there long before.
      expect(at).toBeGreaterThanOrEqual(fault.kind === "silent" ? 1 : 0);
    },
  );

  test("nothing measured of it although it is on is no data, and its own sign", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    sandbox.hang(101);
    clock.advance(20 * minute);
    const looks = await looksAt(provider, 101, 102);
    expect(looks.get("s101")).toMatchObject({ failure: "no-data", reason: { key: "look-no-statistics" } });
    expect(looks.get("s101")).not.toHaveProperty("ofApi");
    expect(looks.get("s102")).toHaveProperty("reading");
  });
});

describe("what goes wrong with the account is one fault of all", () => {
  const ids = manyServers(12).map(({ id }) => id);

  test.each([
    ["a revoked token", { kind: "status", status: 401, body: "empty" }, "error-provider-token", true],
    ["an API that fails", { kind: "status", status: 500, path: list }, "error-provider-failed", undefined],
    ["an edge in its place", { kind: "status", status: 404, body: "html" }, "error-provider-edge", undefined],
    ["garbage", { kind: "garbage" }, "error-provider-garbage", undefined],
    ["another form", { kind: "form" }, "error-provider-garbage", undefined],
    ["too many requests", { kind: "status", status: 429 }, "error-provider-rate", undefined],
    ["silence", { kind: "silent" }, "error-provider-timeout", undefined],
  ] as const)("%s: every look says so, and it is asked once for all", async (_name, fault, key, permanent) => {
    const { sandbox, clock } = await startTimeweb({ servers: manyServers(12), faults: [fault] });
    const provider = openTimeweb(sandbox, clock, {}, { timeout: "300ms" });
    const looks = [...(await looksAt(provider, ...ids)).values()];
    expect(looks).toHaveLength(12);
    for (const look of looks) {
      expect(look).toMatchObject({ failure: "account", ofApi: true, reason: { key } });
      expect("failure" in look && look.permanent).toBe(permanent);
      expect(JSON.stringify(look)).not.toContain(sandbox.token);
    }
    expect(sandbox.requests().length).toBeLessThanOrEqual(3);
    sandbox.clearFaults();
    for (const look of (await looksAt(provider, ...ids)).values()) expect(look).toHaveProperty("reading");
  });

  test("nobody listens; and when somebody does again, all is well", async () => {
    const { sandbox, provider } = await startTimeweb();
    await sandbox.refuse();
    expect(await lookAt(provider, 101)).toMatchObject({
      failure: "account",
      reason: { key: "error-provider-network" },
    });
    await sandbox.accept();
    expect(await readingOf(provider, 101)).toMatchObject({ status: "on" });
  });

  test("a token that is revoked between list and statistics is not shown a thousand times", async () => {
    const servers = manyServers(300);
    const { sandbox, provider, clock } = await startTimeweb({ servers });
    await readingOf(provider, 1001);
    sandbox.revokeToken(sandbox.token);
    sandbox.forgetRequests();
    clock.advance(1000);
    const looks = await looksAt(provider, ...servers.map(({ id }) => id));
    for (const look of looks.values())
      expect(look).toMatchObject({ failure: "account", permanent: true, reason: { key: "error-provider-token" } });
    // As many as may be under way at a time.
    expect(sandbox.requests().length).toBeLessThanOrEqual(64);
    sandbox.allowToken(sandbox.token);
    clock.advance(5 * minute);
    expect(await readingOf(provider, 1001)).toMatchObject({ status: "on" });
  });

  test("statistics that fail from server to server are the API's fault; one request at a time finds out when they are back", async () => {
    const servers = manyServers(40);
    const { sandbox, provider, clock } = await startTimeweb({
      servers,
      faults: [{ kind: "status", status: 500, path: anyStatistics("\\d+") }],
    });
    const all = servers.map(({ id }) => id);
    // Two servers may be at fault themselves.
    const first = await looksAt(provider, ...all);
    const own = [...first.values()].filter((look) => "failure" in look && look.failure !== "account");
    expect(own.length).toBeLessThanOrEqual(2);
    sandbox.forgetRequests();
    clock.advance(1000);
    for (const look of (await looksAt(provider, ...all)).values()) expect(look).toMatchObject({ failure: "account" });
    expect(sandbox.requests()).toEqual([]);
    clock.advance(5 * minute);
    await looksAt(provider, ...all);
    expect(sandbox.requests().length).toBeLessThanOrEqual(3);
    sandbox.clearFaults();
    clock.advance(5 * minute);
    await lookAt(provider, all[0] ?? 0);
    for (const look of (await looksAt(provider, ...all)).values()) expect(look).toHaveProperty("reading");
  });
});

describe("servers that are never measured", () => {
  test("do not keep others from being asked, however many of them stand side by side", async () => {
    const { sandbox, provider, clock } = await startTimeweb({ servers: manyServers(4) });
    for (const id of [1001, 1002, 1003]) sandbox.addFault({ kind: "status", status: 500, path: anyStatistics(id) });
    const round = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (const id of [1001, 1002, 1003, 1004]) {
        const look = await lookAt(provider, id);
        seen.push("failure" in look ? look.failure : "reading");
        clock.advance(5000);
      }
      clock.advance(5 * minute);
      return seen;
    };
    // Nothing is known yet: it could be the API.
    expect(await round()).toEqual(["garbage", "garbage", "account", "account"]);
    await round();
    await lookAt(provider, 1004);
    for (let n = 0; n < 3; n++) expect(await round()).toEqual(["garbage", "garbage", "garbage", "reading"]);
  });
});

describe("looks at many", () => {
  test("read one list for all who ask in the same minute, and give each server once", async () => {
    const servers = manyServers(250);
    const { sandbox, provider, clock } = await startTimeweb({ servers });
    const ids = servers.map(({ id }) => id);
    const halves = await Promise.all([looksAt(provider, ...ids.slice(0, 125)), looksAt(provider, ...ids.slice(125))]);
    expect(halves.map((half) => half.size)).toEqual([125, 125]);
    for (const look of halves.flatMap((half) => [...half.values()])) expect(look).toHaveProperty("reading");
    expect(sandbox.counts()["GET /api/v1/servers"]).toBe(3);
    clock.advance(30_000);
    await looksAt(provider, ...ids.slice(0, 10));
    expect(sandbox.counts()["GET /api/v1/servers"]).toBe(3);
    clock.advance(31_000);
    await looksAt(provider, ...ids.slice(0, 10));
    expect(sandbox.counts()["GET /api/v1/servers"]).toBe(6);
    // Set back by a day, the clock makes nothing fresh for ever.
    clock.advance(-86_400_000);
    await looksAt(provider, ...ids.slice(0, 10));
    expect(sandbox.counts()["GET /api/v1/servers"]).toBe(9);
  });

  test("end at once when they are given up, and others who wait for the same list do not", async () => {
    const { provider } = await startTimeweb({ faults: [{ kind: "slow", delayMs: 300, path: list }] });
    const given = new AbortController();
    const reason = new Error("given up");
    const first = (async () => {
      for await (const look of provider.looks([target(101)], given.signal)) throw new Error(look.name);
    })();
    const second = readingOf(provider, 102);
    given.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect((await second).status).toBe("on");
  });

  test("hold, in two processes, to one rate together", async () => {
    const keys = fixture.keys();
    const servers = manyServers(30);
    const { sandbox, clock } = await startTimeweb({ servers, limit: 30 });
    const open = () => {
      const rates = new Rates(fixture.connect(), keys);
      const rateLimit = rates.limit.bind(rates);
      return openTimeweb(sandbox, clock, { rateLimit }, { rate: 25, burst: 3 });
    };
    const ids = servers.map(({ id }) => id);
    const all = await Promise.all([looksAt(open(), ...ids.slice(0, 15)), looksAt(open(), ...ids.slice(15))]);
    for (const look of all.flatMap((half) => [...half.values()])) expect(look).toHaveProperty("reading");
    const times = sandbox.requests().map(({ at }) => at);
    expect(times).toHaveLength(32);
    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 500).length));
    expect(most).toBeLessThanOrEqual(12 + 1 + 3 + 2);
  });
});

describe("power", () => {
  test.each(powerActions)("%s is ordered once and stands in the action log", async (action) => {
    const { sandbox, provider } = await startTimeweb();
    if (action === "start") sandbox.setStatus(101, "off");
    await provider.power?.order(target(101), action, never);
    const facts = await provider.power?.facts(target(101), never);
    const words = { start: "starting", shutdown: "stopping", reboot: "rebooting" } as const;
    expect(facts?.status).toBe({ ...words, "hard-reboot": "rebooting", "hard-shutdown": "stopping" }[action]);
    const log = await provider.power?.actionLog(target(101), 10, never);
    expect(log?.map(({ event }) => event)).toEqual([`server_${action.replace("-", "_")}`]);
    expect(sandbox.counts()[`POST /api/v1/servers/:id/${action}`]).toBe(1);
  });

  test("what makes no sense is refused in so many words", async () => {
    const { sandbox, provider } = await startTimeweb();
    sandbox.setStatus(101, "off");
    const error: unknown = await provider.power?.order(target(101), "reboot", never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "provider-refused", context: { status: 409 } });
    expect(surelyNotDone(error)).toBe(true);
    await expect(provider.power?.order(target(999), "reboot", never)).rejects.toMatchObject({ code: "not-found" });
    await expect(provider.power?.facts(target(999), never)).rejects.toMatchObject({ code: "not-found" });
  });

  test("after an order nothing that was known before it is believed, answered or not", async () => {
    const { sandbox, provider } = await startTimeweb();
    await readingOf(provider, 101);
    sandbox.addFault({ kind: "lost-answer", method: "POST" });
    const error: unknown = await provider.power?.order(target(101), "reboot", never).catch((reason: unknown) => reason);
    expect(surelyNotDone(error)).toBe(false);
    expect((await readingOf(provider, 101)).status).toBe("rebooting");
    expect(sandbox.counts()["POST /api/v1/servers/:id/reboot"]).toBe(1);
  });

  test("the log is newest first and as long as was asked for", async () => {
    const { sandbox, provider, clock } = await startTimeweb();
    for (const action of ["shutdown", "start", "hard-reboot"] as const) {
      sandbox.power(101, action);
      clock.advance(5 * minute);
    }
    const log = await provider.power?.actionLog(target(101), 2, never);
    expect(log?.map(({ event }) => event)).toEqual(["server_hard_reboot", "server_start"]);
    expect(provider.power?.consoleUrl?.(target(101))).toBe("https://timeweb.cloud/my/servers/101/console");
  });
});
