import { describe, expect, test } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { registerSecret } from "../../src/lib/redaction.ts";
import { locales, messagesOf } from "../../src/messages/index.ts";
import { Heartbeats } from "../../src/services/heartbeats.ts";
import { type InboundOptions, type InboundWorld, inboundWorld } from "../support/inbound.ts";
import { startRedis } from "../support/redis.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;
const hour = 60 * minute;

const world = (options: Partial<InboundOptions> = {}): InboundWorld =>
  inboundWorld({
    redisUrl: fixture.server.url,
    heartbeats: [{ every: hour, labels: { service: "shop" } }],
    ...options,
  });

const key = "key-of-the-import";

async function ping({ server }: InboundWorld, end = "", payload?: string): Promise<number> {
  const answer = await server.inject({
    method: payload === undefined ? "GET" : "POST",
    url: `/ping/${key}${end}`,
    ...(payload === undefined ? {} : { payload, headers: { "content-type": "text/plain" } }),
  });
  return answer.statusCode;
}

/** What a person reads on it. */
function said(incident: Incident | undefined): string {
  const text = incident?.text;
  return typeof text === "object" ? messagesOf("en").plain(text.key, text.args) : (text ?? "");
}

const only = async ({ incidents }: InboundWorld): Promise<Incident> => {
  const [incident, ...more] = await incidents();
  if (!incident || more.length > 0) throw new Error(`${more.length + 1} incidents`);
  return incident;
};

describe("addresses", () => {
  test.each(["GET", "HEAD", "POST"] as const)("%s is answered with OK", async (method) => {
    const { server } = world();
    for (const end of ["", "/start", "/fail", "/log", "/0", "/255", "/start?rid=3f2c-1", "?rid=3f2c-1"]) {
      const answer = await server.inject({ method, url: `/ping/${key}${end}` });
      expect([answer.statusCode, answer.body]).toEqual([200, method === "HEAD" ? "" : "OK"]);
    }
  });

  test.each([
    "/ping",
    "/ping/",
    "/ping/another-key",
    `/ping/${key}x`,
    `/ping/${key.toUpperCase()}`,
    `/ping/${key}/stop`,
    `/ping/${key}/256`,
    `/ping/${key}/-1`,
    `/ping/${key}/1/2`,
  ])("%s does not exist", async (url) => {
    const { server } = world();
    expect((await server.inject({ method: "POST", url })).statusCode).toBe(404);
  });

  test("take no other methods, and no odd ids", async () => {
    const { server } = world();
    const put = await server.inject({ method: "PUT", url: `/ping/${key}` });
    expect([put.statusCode, put.headers["allow"]]).toEqual([405, "GET, HEAD, POST"]);
    for (const query of ["rid=a%20b", `rid=${"x".repeat(65)}`, "rid=", "rid=a&rid=b"])
      expect((await server.inject(`/ping/${key}?${query}`)).statusCode).toBe(400);
  });

  test("need the key alone, which no log holds", async () => {
    registerSecret(key);
    const here = world({ token: null });
    expect(await ping(here, "/7", "x")).toBe(200);
    await here.server.inject(`/ping/${key}x`);
    expect(here.log()).not.toContain(key);
  });
});

describe("a heartbeat", () => {
  test("that does not come is an incident, which ends when it comes", async () => {
    const here = world();
    await here.pass(hour);
    await ping(here);
    await here.pass(hour + 5 * minute - 5000);
    expect(await here.incidents()).toEqual([]);
    await here.pass(5000);
    const incident = await only(here);
    expect(incident).toMatchObject({
      source: "heartbeat",
      status: "firing",
      severity: "critical",
      title: { key: "heartbeat-late", args: { name: "import" } },
      labels: { service: "shop", heartbeat: "import" },
      repeats: false,
      startsAt: "2026-03-01T05:05:00.000Z",
    });
    expect(said(incident)).toBe("The last one came at 1 Mar 2026, 04:00; the next was due at 1 Mar 2026, 05:00.");
    await here.pass(hour);
    expect((await only(here)).history).toHaveLength(1);
    await ping(here);
    expect(await only(here)).toMatchObject({ status: "resolved", text: { key: "heartbeat-back" } });
  });

  test("that never comes owes nothing for one period", async () => {
    const here = world();
    await here.deps.heartbeats.check();
    await here.pass(hour + 4 * minute);
    expect(await here.incidents()).toEqual([]);
    await here.pass(minute);
    expect(said(await only(here))).toBe("None has come yet; the first was due at 1 Mar 2026, 04:00.");
  });

  test("that fails is an incident at once, with its status, duration and last words", async () => {
    const here = world();
    await ping(here, "/start");
    here.clock.advance(192_000);
    await ping(here, "/3", `${"first line\n".repeat(2000)}\u001B[31mno space left\u001B[0m\r\n`);
    const incident = await only(here);
    expect(incident).toMatchObject({ status: "firing", title: { key: "heartbeat-failed" } });
    expect(said(incident)).toMatch(/^Exit status 3 at 1 Mar 2026, 03:03\. The run took 0:03:12\.\n…/);
    expect(said(incident)).toMatch(/first line\nno space left$/);
    expect(said(incident).length).toBeLessThan(1200);
    here.clock.advance(minute);
    await ping(here, "/fail", "again");
    expect(said(await only(here))).toBe("It said so itself at 1 Mar 2026, 03:04.\nagain");
    await ping(here, "/start");
    here.clock.advance(minute);
    await ping(here, "/0");
    expect(await only(here)).toMatchObject({ status: "resolved" });
    expect(said(await only(here))).toBe("A sign of life has come. The run took 0:01:00.");
  });

  test("that fails after somebody closed its incident has failed anew", async () => {
    const here = world();
    await ping(here, "/fail");
    await here.deps.alerts.close((await only(here)).id, { id: 1, name: "alice" });
    here.clock.advance(minute);
    await ping(here, "/fail");
    expect((await here.incidents()).map(({ status }) => status)).toContain("firing");
  });

  test("whose run does not end in time says when it began and what is usual", async () => {
    const here = world();
    await ping(here, "/start");
    await here.pass(2 * minute);
    await ping(here);
    await here.pass(minute);
    await ping(here, "/start", "step 1");
    await here.pass(5 * minute);
    expect(said(await only(here))).toBe(
      "Begun at 1 Mar 2026, 03:03; it has 0:05:00 to end. The last run took 0:02:00.\nstep 1",
    );
  });

  test("keeps secrets out of what it shows", async () => {
    registerSecret("hunter2-hunter2");
    const here = world();
    await ping(here, "/fail", "login with hunter2-hunter2 at postgres://app:s3cr3t@db/app failed");
    expect(said(await only(here))).toContain("login with [redacted] at postgres://app:[redacted]@db/app failed");
  });

  test("may say as much as it likes, of which the end is kept", async () => {
    const here = world();
    expect(await ping(here, "/1", `${"x".repeat(3_000_000)} the end`)).toBe(200);
    expect(said(await only(here))).toMatch(/ the end$/);
    expect(await ping(here, "/2", `${"x".repeat(9_000_000)} the very end`)).toBe(200);
    expect(said(await only(here))).toMatch(/ the very end$/);
  });

  test("is read in every language", () => {
    const args = { name: "a", at: "t", due: "t", last: "t", from: "t", until: "t", start: "t", grace: "g", usual: "u" };
    for (const locale of locales)
      for (const flag of [0, 1]) {
        const flags = { seen: flag, away: flag, known: flag, timed: flag, lines: flag, status: 137 };
        for (const ending of ["late", "unfinished", "failed", "exit"]) {
          const text = messagesOf(locale).plain(`heartbeat-text-${ending}`, {
            ...args,
            ...flags,
            output: "the output",
            took: "0:01:00",
          });
          expect(text).toMatch(/\.(\nthe output)?$/);
          expect(text.includes("the output")).toBe(flag === 1 && ending !== "late");
        }
      }
  });
});

describe("the watch", () => {
  test("that was away waits for another grace, and says so", async () => {
    const here = world();
    await here.deps.heartbeats.check();
    await ping(here);
    here.clock.advance(3 * hour);
    await here.deps.heartbeats.check();
    expect(await here.incidents()).toEqual([]);
    await here.pass(5 * minute);
    expect(said(await only(here))).toBe(
      "The last one came at 1 Mar 2026, 03:00; the next was due at 1 Mar 2026, 04:00. The watch itself was away from 1 Mar 2026, 03:00 to 1 Mar 2026, 06:00: it may have missed one.",
    );
  });

  test("makes nothing fire when its clock is set back", async () => {
    const here = world();
    await here.pass(30 * minute);
    await ping(here);
    for (const back of [minute, hour, 24 * hour]) {
      here.clock.advance(-back);
      await here.deps.heartbeats.check();
    }
    await here.pass(hour + 4 * minute);
    expect(await here.incidents()).toEqual([]);
    await here.pass(minute);
    expect((await only(here)).status).toBe("firing");
  });

  test("goes on in another process", async () => {
    const prefix = `ping${process.pid}`;
    const first = world({ prefix });
    await ping(first);
    const second = world({ prefix, clock: first.clock });
    await first.pass(30 * minute);
    await second.pass(35 * minute);
    const { id } = await only(second);
    await Promise.all([first.deps.heartbeats.check(), second.deps.heartbeats.check()]);
    await ping(first);
    await Promise.all([first.deps.heartbeats.check(), second.deps.heartbeats.check()]);
    expect(await only(first)).toMatchObject({ id, status: "resolved", times: 1 });
  });

  test("tells what a killed process has recorded and not told", async () => {
    const here = world();
    const { heartbeatStates } = here.deps;
    await ping(here);
    await here.pass(hour + 5 * minute);
    expect((await only(here)).status).toBe("firing");
    // A success that was recorded, and then the process died.
    const known = await heartbeatStates.read("import");
    if (!known) throw new Error("not known");
    const { down: _down, ...well } = known.record.state;
    await heartbeatStates.replace("import", known, {
      ...known.record,
      state: { ...well, lastSuccess: here.clock.now().getTime() },
    });
    await here.deps.heartbeats.check();
    expect((await only(here)).status).toBe("resolved");
  });

  test.each([
    ["before it is told", false],
    ["after it was told", true],
  ])("tells the end although a process that has recorded a failure died %s", async (_when, isTold) => {
    const here = world();
    const died = new Error("killed");
    const { alerts } = here.deps;
    const dying = new Heartbeats({
      ...here.deps,
      alerts: {
        receive: async (signals) => {
          if (isTold) await alerts.receive(signals);
          throw died;
        },
      },
    });
    await expect(dying.ping(key, { kind: "fail" })).rejects.toBe(died);
    here.clock.advance(1000);
    if (!isTold) await here.deps.heartbeats.check();
    expect((await only(here)).status).toBe("firing");
    await ping(here);
    expect((await only(here)).status).toBe("resolved");
  });

  test("believes the newest sign, whichever is told first", async () => {
    const here = world();
    await ping(here, "/fail");
    await ping(here);
    // A failure that takes so long to be told that the next success is told before it.
    const { alerts } = here.deps;
    const [isTelling, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = new Heartbeats({
      ...here.deps,
      alerts: {
        receive: async (signals) => {
          isTelling.resolve();
          await go.promise;
          return await alerts.receive(signals);
        },
      },
    });
    here.clock.advance(hour / 2);
    const failed = slow.ping(key, { kind: "fail" });
    await isTelling.promise;
    here.clock.advance(1);
    await ping(here);
    go.resolve();
    await failed;
    expect((await here.incidents()).map(({ status }) => status)).not.toContain("firing");
    await ping(here, "/fail");
    expect((await here.incidents()).map(({ status }) => status)).toContain("firing");
  });

  test("ends in what came last when both are said at once", async () => {
    const here = world();
    for (let round = 0; round < 20; round++) {
      here.clock.advance(1000);
      await Promise.all([ping(here, "/1"), ping(here), ping(here, "/2"), here.deps.heartbeats.check()]);
      const down = (await here.deps.heartbeatStates.read("import"))?.record.state.down;
      const open = (await here.incidents()).filter(({ status }) => status === "firing");
      expect(open).toHaveLength(down ? 1 : 0);
    }
  });

  test("forgets what is no longer configured after an hour, its incident included", async () => {
    const prefix = `gone${process.pid}`;
    const before = world({ prefix });
    await ping(before, "/fail");
    const after = world({
      prefix,
      heartbeats: [{ name: "other", every: hour, key: "another-key" }],
      clock: before.clock,
    });
    await after.pass(59 * minute);
    expect((await only(after)).status).toBe("firing");
    await after.pass(2 * minute);
    expect(await only(after)).toMatchObject({ status: "resolved", text: { key: "heartbeat-gone" } });
    expect(await after.deps.heartbeatStates.read("import")).toBeUndefined();
  });

  test("loses no sign to many at once", async () => {
    const here = world();
    await Promise.all(Array.from({ length: 50 }, (_, run) => ping(here, `/start?rid=r${run % 10}`)));
    const known = await here.deps.heartbeatStates.read("import");
    expect(new Set(known?.record.state.runs.map(({ run }) => run)).size).toBe(10);
  });
});

test("a sign that can not be recorded is 503, and the sender comes again", async () => {
  await using redis = await startRedis();
  const here = world({ redisUrl: redis.url, limits: { patienceMs: 300 } });
  expect(await ping(here)).toBe(200);
  await redis.kill();
  const answer = await here.server.inject(`/ping/${key}/fail`);
  expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
  await redis.restart();
  await until(async () => (await ping(here, "/fail")) === 200, "taken again");
  expect((await only(here)).status).toBe("firing");
});
