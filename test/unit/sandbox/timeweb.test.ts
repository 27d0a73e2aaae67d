import { describe, expect, onTestFinished, test } from "vitest";
import {
  manyServers,
  startTimewebSandbox,
  type TimewebSandbox,
  type TimewebSandboxOptions,
} from "../../../src/sandbox/timeweb/index.ts";
import { ManualClock } from "../../support/state.ts";

const minute = 60_000;
const hour = 60 * minute;

async function start(options: TimewebSandboxOptions = {}): Promise<{ sandbox: TimewebSandbox; clock: ManualClock }> {
  const clock = new ManualClock();
  const sandbox = await startTimewebSandbox({ clock, servers: [{ id: 101, name: "web-1" }], ...options });
  onTestFinished(() => sandbox.close());
  return { sandbox, clock };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: its form is what is looked at
  readonly json: any;
}

async function call(
  sandbox: TimewebSandbox,
  path: string,
  init: RequestInit & { token?: string } = {},
): Promise<Answer> {
  const { token = sandbox.token, ...rest } = init;
  const headers = { authorization: `Bearer ${token}`, ...(rest.body ? { "content-type": "application/json" } : {}) };
  const response = await fetch(sandbox.url + path, { headers, ...rest });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true && !text.endsWith('"na');
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined };
}

const post = (sandbox: TimewebSandbox, path: string, body?: object) =>
  call(sandbox, path, { method: "POST", ...(body ? { body: JSON.stringify(body) } : {}) });

async function series(sandbox: TimewebSandbox, from: number, to: number): Promise<Answer["json"]> {
  const query = `date_from=${new Date(from).toISOString()}&date_to=${new Date(to).toISOString()}`;
  return (await call(sandbox, `/api/v1/servers/101/statistics?${query}`)).json;
}

describe("the local API of Timeweb Cloud", () => {
  test("gives pages with how many there are in all", async () => {
    const { sandbox } = await start({ servers: manyServers(250) });
    const last = (await call(sandbox, "/api/v1/servers?limit=100&offset=200")).json;
    expect(last.meta).toEqual({ total: 250 });
    expect(last.servers).toHaveLength(50);
    expect(last.response_id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await call(sandbox, "/api/v1/servers?limit=1000")).json.servers).toHaveLength(100);
    expect((await call(sandbox, "/api/v1/servers?limit=x")).status).toBe(400);
  });

  test("shows the secrets that the real one shows", async () => {
    const { sandbox } = await start();
    const { server } = (await call(sandbox, "/api/v1/servers/101")).json;
    for (const key of ["root_pass", "vnc_pass", "cloud_init"]) expect(server[key]).toContain("secret-");
  });

  test("answers without a token, or with a revoked one, 401 and nothing else", async () => {
    const { sandbox } = await start({ tokens: ["one", "other"] });
    sandbox.revokeToken("one");
    for (const token of ["one", "", "none"])
      expect(await call(sandbox, "/api/v1/servers", { token })).toMatchObject({ status: 401, text: "" });
    expect((await call(sandbox, "/api/v1/servers", { token: "other" })).status).toBe(200);
  });

  test("says in its own words what there is not", async () => {
    const { sandbox } = await start();
    expect((await call(sandbox, "/api/v1/servers/7")).json).toMatchObject({
      status_code: 404,
      error_code: "not_found",
    });
    expect((await post(sandbox, "/api/v1/servers/7/reboot")).status).toBe(404);
    expect((await call(sandbox, "/api/v1/dbs/7/backups")).status).toBe(404);
  });

  test("holds to a limit for each endpoint when it has one", async () => {
    const { sandbox } = await start({ limit: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(sandbox, "/api/v1/servers")));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
    expect((await call(sandbox, "/api/v1/account/finances")).status).toBe(200);
  });
});

describe("its servers", () => {
  test("measure the same at the same time, whoever asks and whenever", async () => {
    const [one, other] = [await start(), await start()];
    const [from, to] = [one.clock.now().getTime() - hour, one.clock.now().getTime()];
    const first = await series(one.sandbox, from, to);
    other.clock.advance(hour);
    expect(first.cpu).toHaveLength(61);
    const { response_id: _, ...again } = await series(other.sandbox, from, to);
    expect(again).toEqual({ cpu: first.cpu, network_traffic: first.network_traffic, disk: first.disk, ram: first.ram });
  });

  test("are alive: busier by day, never the same, and never outside of what can be", async () => {
    const { sandbox, clock } = await start();
    const now = clock.now().getTime();
    const { cpu, ram } = await series(sandbox, now - 24 * hour, now);
    const loads = cpu.map(({ load }: { load: number }) => load);
    expect(new Set(loads).size).toBeGreaterThan(100);
    expect(Math.min(...loads)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...loads)).toBeLessThanOrEqual(1);
    const mean = (from: number, to: number) => {
      const within = cpu.filter((entry: { logged_at: string }) => {
        const at = new Date(entry.logged_at).getUTCHours();
        return at >= from && at < to;
      });
      return within.reduce((sum: number, { load }: { load: number }) => sum + load, 0) / within.length;
    };
    expect(mean(14, 18)).toBeGreaterThan(mean(2, 6) * 1.2);
    for (const { total, used, available } of ram) expect(used + available).toBe(total);
  });

  test("have the load that was set for them, and then their own again", async () => {
    const { sandbox, clock } = await start();
    const from = clock.now().getTime();
    sandbox.setLoad(101, { cpu: 0.98 }, 10 * minute);
    clock.advance(30 * minute);
    const { cpu } = await series(sandbox, from, from + 30 * minute);
    const loads = cpu.map(({ load }: { load: number }) => load);
    for (const load of loads.slice(0, 10)) expect(load).toBeGreaterThan(0.9);
    for (const load of loads.slice(10)) expect(load).toBeLessThan(0.9);
  });

  test("go through a reboot with the clock, and measure nothing while they are down", async () => {
    const { sandbox, clock } = await start({
      durations: { goingDown: 2 * minute, down: minute, booting: 3 * minute },
    });
    const from = clock.now().getTime();
    const startedAt = sandbox.server(101).startedAt;
    expect((await post(sandbox, "/api/v1/servers/101/reboot")).status).toBe(204);
    const seen: string[] = [sandbox.server(101).status];
    for (let passed = 0; passed < 7; passed++) {
      clock.advance(minute);
      seen.push(sandbox.server(101).status);
    }
    expect(seen).toEqual(["rebooting", "rebooting", "off", "turning_on", "turning_on", "turning_on", "on", "on"]);
    expect(Date.parse(sandbox.server(101).startedAt)).toBe(from + 6 * minute);
    expect(sandbox.server(101).startedAt).not.toBe(startedAt);
    const { cpu } = await series(sandbox, from, from + 7 * minute);
    const minutes = cpu.map(({ logged_at }: { logged_at: string }) => (Date.parse(logged_at) - from) / minute);
    expect(minutes).toEqual([0, 1, 6, 7]);
    const { server_logs } = (await call(sandbox, "/api/v1/servers/101/logs?order=asc")).json;
    expect(server_logs.map(({ event }: { event: string }) => event)).toEqual(["server_reboot"]);
  });

  test("refuse what makes no sense, and let the plug be pulled half-way", async () => {
    const { sandbox } = await start({ durations: { goingDown: null } });
    expect((await post(sandbox, "/api/v1/servers/101/start")).status).toBe(409);
    expect((await post(sandbox, "/api/v1/servers/101/reboot")).status).toBe(204);
    sandbox.advance(24 * hour);
    expect(sandbox.server(101).status).toBe("rebooting");
    expect((await post(sandbox, "/api/v1/servers/101/reboot")).status).toBe(423);
    expect((await post(sandbox, "/api/v1/servers/101/hard-shutdown")).status).toBe(204);
    sandbox.advance(minute);
    expect(sandbox.server(101).status).toBe("off");
    expect((await post(sandbox, "/api/v1/servers/101/shutdown")).status).toBe(409);
    expect((await post(sandbox, "/api/v1/servers/101/action", { action: "start" })).status).toBe(204);
    sandbox.advance(minute);
    expect(sandbox.server(101)).toMatchObject({ status: "on", isUp: true });
  });

  test("can hang while their provider says that they are on", async () => {
    const { sandbox, clock } = await start();
    sandbox.hang(101);
    clock.advance(10 * minute);
    expect(sandbox.server(101)).toMatchObject({ status: "on", isUp: false });
    const now = clock.now().getTime();
    expect((await series(sandbox, now - 9 * minute, now)).cpu).toEqual([]);
    sandbox.power(101, "hard-reboot");
    clock.advance(10 * minute);
    expect(sandbox.server(101)).toMatchObject({ status: "on", isUp: true });
    // What was not measured then is not afterwards either.
    expect((await series(sandbox, now - 9 * minute, now)).cpu).toEqual([]);
    expect((await series(sandbox, now, now + 10 * minute)).cpu).not.toEqual([]);
  });

  test("have a log of which no two lines are one, however long it has grown", async () => {
    const { sandbox } = await start();
    for (let n = 0; n < 600; n++) {
      sandbox.setStatus(101, n % 2 === 0 ? "on" : "off");
      sandbox.power(101, n % 2 === 0 ? "shutdown" : "start");
    }
    const { json } = await call(sandbox, "/api/v1/servers/101/logs?limit=100");
    expect(new Set(json.server_logs.map(({ id }: { id: number }) => id)).size).toBe(100);
  });

  test("have disks that fill", async () => {
    const { sandbox, clock } = await start();
    sandbox.setDisk(101, { size: 1000, used: 400, growth: 240 });
    clock.advance(12 * hour);
    const used = async () => (await call(sandbox, "/api/v1/servers/101")).json.server.disks[0].used;
    expect(await used()).toBe(520);
    clock.advance(100 * 24 * hour);
    expect(await used()).toBe(1000);
  });
});

describe("its faults", () => {
  test("meet the requests that they are meant for, so often as was said", async () => {
    const { sandbox } = await start();
    sandbox.addFault({ kind: "status", status: 429, path: "/servers$", times: 1 });
    const statuses: number[] = [];
    for (const path of ["/api/v1/account/finances", "/api/v1/servers", "/api/v1/servers"])
      statuses.push((await call(sandbox, path)).status);
    expect(statuses).toEqual([200, 429, 200]);
    expect(sandbox.faults()).toMatchObject([{ hits: 1 }]);
  });

  test("lose an answer after its effect, and nothing else", async () => {
    const { sandbox } = await start();
    sandbox.addFault({ kind: "lost-answer", method: "POST", times: 1 });
    await expect(post(sandbox, "/api/v1/servers/101/shutdown")).rejects.toThrow("fetch failed");
    expect(sandbox.server(101).status).toBe("turning_off");
    expect(sandbox.requests().map(({ method }) => method)).toEqual(["POST"]);
    expect((await call(sandbox, "/api/v1/servers")).status).toBe(200);
  });

  test("answer as an edge does, with garbage, in another form", async () => {
    const { sandbox } = await start();
    sandbox.addFault({ kind: "status", status: 404, body: "html", times: 1 });
    expect((await call(sandbox, "/api/v1/servers")).text).toContain("<h1>404 Not Found</h1>");
    sandbox.addFault({ kind: "garbage", times: 1 });
    const torn = await call(sandbox, "/api/v1/servers");
    expect(() => JSON.parse(torn.text)).toThrow();
    sandbox.addFault({ kind: "form", times: 1 });
    expect((await call(sandbox, "/api/v1/servers")).json.servers).toBe("none");
  });

  test("close the door, and it can be opened again", async () => {
    const { sandbox } = await start();
    await sandbox.refuse();
    await expect(call(sandbox, "/api/v1/servers")).rejects.toThrow("fetch failed");
    await sandbox.accept();
    expect((await call(sandbox, "/api/v1/servers")).status).toBe(200);
  });

  test("can be made over HTTP, as everything else", async () => {
    const { sandbox } = await start();
    const made = await post(sandbox, "/_sandbox/faults", { kind: "status", status: 503 });
    expect((await call(sandbox, "/api/v1/servers")).status).toBe(503);
    expect((await call(sandbox, `/_sandbox/faults/${made.json.id}`, { method: "DELETE" })).status).toBe(200);
    expect((await call(sandbox, "/api/v1/servers")).status).toBe(200);
    await post(sandbox, "/_sandbox/servers/101/load", { cpu: 1, forMs: minute });
    await post(sandbox, "/_sandbox/servers/101/power", { action: "shutdown" });
    await post(sandbox, "/_sandbox/clock", { advanceMs: minute });
    const state = (await call(sandbox, "/_sandbox/state")).json;
    expect(state.servers).toMatchObject([{ id: 101, status: "off" }]);
    expect(state.counts).toEqual({ "GET /api/v1/servers": 2 });
    expect((await post(sandbox, "/_sandbox/faults", { kind: "unheard of" })).json).toMatchObject({ ok: false });
    expect((await post(sandbox, "/_sandbox/servers/7/hang")).json).toEqual({
      ok: false,
      error: "there is no server 7",
    });
  });
});
