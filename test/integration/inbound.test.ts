import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { alertmanagerMessage, grafanaMessage } from "../support/hook-bodies.ts";
import { httpToken, type InboundOptions, type InboundWorld, inboundWorld } from "../support/inbound.ts";
import { startRedis } from "../support/redis.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const world = (options: Partial<InboundOptions> = {}): InboundWorld =>
  inboundWorld({ redisUrl: fixture.server.url, ...options });

const basic = (password: string, user = "anybody"): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("what arrives", () => {
  test("is in Redis when it is answered", async () => {
    const { post, incidents } = world();
    const answer = await post("/hooks/alertmanager", alertmanagerMessage);
    expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 2 }]);
    expect(await incidents()).toMatchObject([
      { title: "Latency is high on a1", status: "firing", severity: "critical" },
    ]);
  });

  test("is the same incident when it is sent again, by whichever server of a cluster", async () => {
    const { post, incidents } = world();
    for (const externalURL of ["http://am-1", "http://am-2", "http://am-1"])
      await post("/hooks/alertmanager", { ...alertmanagerMessage, externalURL });
    expect(await incidents()).toHaveLength(1);
  });

  test("ends what it began", async () => {
    const { post, incidents, clock } = world();
    await post("/hooks/alertmanager", alertmanagerMessage);
    clock.advance(60_000);
    const [alert] = alertmanagerMessage.alerts;
    const end = { ...alert, status: "resolved", endsAt: clock.now().toISOString() };
    await post("/hooks/alertmanager", { ...alertmanagerMessage, alerts: [end] });
    expect((await incidents()).map(({ status }) => status)).toEqual(["resolved"]);
  });

  test("may be a group of thousands", async () => {
    const { post, deps } = world();
    const alerts = Array.from({ length: 3000 }, (_, index) => ({
      ...alertmanagerMessage.alerts[0],
      fingerprint: `f${index}`,
      labels: { alertname: "Down", instance: `node-${index}`, severity: index % 2 ? "warning" : "info" },
    }));
    const answer = await post("/hooks/alertmanager", { ...alertmanagerMessage, alerts });
    expect(answer.json()).toEqual({ accepted: 3000 });
    expect(await deps.incidents.openCount()).toBe(3000);
  });

  test("may be PUT where the sender may, and called anything", async () => {
    const { post, incidents } = world();
    const put = await post("/hooks/grafana", grafanaMessage, { method: "PUT" });
    const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
    const posted = await post("/hooks/events", { status: "firing", title: "a" }, form);
    expect([put.statusCode, posted.statusCode]).toEqual([200, 200]);
    expect(await incidents()).toHaveLength(3);
  });

  test("tells events only once, and of nothing when one of a list is bad", async () => {
    const { post, incidents } = world();
    const event = { status: "info", title: "Released", startsAt: "2026-03-01T02:00:00Z" };
    for (let time = 0; time < 2; time++) expect((await post("/hooks/events", event)).statusCode).toBe(200);
    const named = { status: "info", title: "Released", fingerprint: "release", text: "2.4.0" };
    for (let time = 0; time < 2; time++) expect((await post("/hooks/events", named)).statusCode).toBe(200);
    expect((await post("/hooks/events", { ...named, text: "2.4.1" })).statusCode).toBe(200);
    expect((await incidents()).map(({ text }) => text)).toEqual([undefined, "2.4.1"]);
    const bad = await post("/hooks/events", [{ status: "firing", title: "a" }, { status: "firing" }]);
    expect([bad.statusCode, bad.json()]).toEqual([400, { error: expect.stringMatching(/^\[1\]\.title: /) }]);
    expect((await incidents()).map(({ title }) => title)).toEqual(["Released", "Released"]);
  });
});

describe("what can not be taken", () => {
  test.each([
    ["nonsense", "hello", "the body is not JSON: line 1, column 1"],
    ["half of it", '{"alerts": [', "the body is not JSON: line 1, column 13"],
    ["nothing", "", "the body is empty: JSON was expected"],
    ["another shape", '{"alerts":{}}', "alerts: expected array, received object"],
    ["no object", "7", "the body: expected object, received number"],
  ])("%s is refused with one line", async (_what, body, line) => {
    const { post, log } = world();
    const answer = await post("/hooks/alertmanager", body);
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: line }]);
    expect(log()).not.toContain("stack");
  });

  test("a body over the limit is refused, one of almost 8 MiB is not", async () => {
    const { post } = world();
    const event = (length: number) => ({ status: "info", title: "a", text: "x".repeat(length) });
    const large = await post("/hooks/events", event(8 * 1024 * 1024));
    expect([large.statusCode, large.json()]).toEqual([413, { error: "the body is larger than 8388608 bytes" }]);
    expect((await post("/hooks/events", event(8 * 1024 * 1024 - 100))).statusCode).toBe(200);
  });

  test("thousands of alerts in one body hold nobody up while they are read", async () => {
    const { post, deps } = world();
    let turns = 0;
    let turnsUntilRead = 0;
    vi.spyOn(deps.inbound, "accept").mockImplementation(async (signals) => {
      expect(signals).toHaveLength(10_000);
      turnsUntilRead = turns;
    });
    const [example] = alertmanagerMessage.alerts;
    const alerts = Array.from({ length: 10_000 }, (_, n) => ({ ...example, fingerprint: `${n}` }));
    const others = setInterval(() => (turns += 1), 0);
    expect((await post("/hooks/alertmanager", { ...alertmanagerMessage, alerts })).statusCode).toBe(200);
    clearInterval(others);
    expect(turnsUntilRead).toBeGreaterThan(10);
  });

  test("requests are counted by hook and status", async () => {
    const { post, server, metrics } = world({ hooks: { events: { formats: { theirs: { title: "{name}" } } } } });
    const info = { status: "info", title: "a", name: "b" };
    for (const url of ["/hooks/events", "/hooks/events", "/hooks/events/theirs", "/hooks/alertmanager"])
      await post(url, info);
    await post("/hooks/events", info, { headers: { authorization: "Bearer wrong" } });
    await server.inject({ url: "/ping/unknown-key/fail" });
    const counted = [
      ...(await metrics()).matchAll(/^vakhta_hook_requests_total\{hook="(.*)",status="(\d+)"\} (\d+)$/gm),
    ];
    expect(counted.map(([, ...parts]) => parts.join(" "))).toEqual([
      "events 200 2",
      "events/theirs 200 1",
      "alertmanager 400 1",
      "events 401 1",
      "ping 404 1",
    ]);
  });

  test("other methods and addresses do not exist", async () => {
    const { post, server } = world();
    for (const method of ["GET", "PUT", "DELETE", "HEAD"] as const) {
      const answer = await post("/hooks/alertmanager", "", { method });
      expect([answer.statusCode, answer.headers["allow"]]).toEqual([405, "POST"]);
    }
    expect((await post("/hooks/grafana", "", { method: "GET" })).headers["allow"]).toBe("POST, PUT");
    for (const url of ["/hooks", "/hooks/nagios", "/hooks/events/minio", "/hooks/alertmanager/x"])
      expect((await server.inject({ method: "POST", url, payload: {} })).statusCode).toBe(404);
  });
});

describe("who comes in", () => {
  const firing = { status: "firing", title: "a" };

  test.each([
    ["as a bearer", `Bearer ${httpToken}`, 200],
    ["in another case", `bearer ${httpToken}`, 200],
    ["as anybody's password", basic(httpToken), 200],
    ["as the password of nobody", basic(httpToken, ""), 200],
    ["with one letter more", `Bearer ${httpToken}x`, 401],
    ["as a user name", basic("", httpToken), 401],
    ["without its scheme", httpToken, 401],
    ["with another scheme", `Token ${httpToken}`, 401],
    ["that is empty", "Bearer ", 401],
    ["that is none", "", 401],
  ])("with the token %s", async (_how, authorization, status) => {
    const { post, incidents } = world();
    const answer = await post("/hooks/events", firing, { headers: { authorization } });
    expect(answer.statusCode).toBe(status);
    expect((await incidents()).filter(({ source }) => source === "events")).toHaveLength(status === 200 ? 1 : 0);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? 'Bearer, Basic realm="vakhta"' : undefined);
  });

  test("nobody, as long as there is no token: it says what to set", async () => {
    const { post, incidents } = world({ token: null });
    const answer = await post("/hooks/alertmanager", alertmanagerMessage);
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error).toContain("http.token");
    await until(async () => (await incidents()).length === 1, "an incident");
    expect((await incidents())[0]?.text).toMatchObject({ key: "inbound-refused-no-token" });
  });

  test("Grafana with its signature, with or without a token being configured", async () => {
    const secret = "test-hmac-secret-0123";
    const body = JSON.stringify(grafanaMessage);
    const headers = {
      authorization: "",
      "x-grafana-alerting-signature": createHmac("sha256", secret).update(body).digest("hex"),
    };
    for (const token of [httpToken, null]) {
      const { post, incidents } = world({ token, hooks: { grafana: { secret } } });
      expect((await post("/hooks/grafana", body, { headers })).statusCode).toBe(200);
      const wrong = await post("/hooks/grafana", `${body} `, { headers });
      expect([wrong.statusCode, wrong.json().error]).toEqual([401, "the signature is not that of this body"]);
      expect((await post("/hooks/alertmanager", body, { headers })).statusCode).toBe(401);
      expect((await incidents()).filter(({ source }) => source === "grafana")).toHaveLength(2);
    }
  });

  test("the token counts whatever the signature says", async () => {
    const { post } = world({ hooks: { grafana: { secret: "test-hmac-secret-0123" } } });
    const headers = { "x-grafana-alerting-signature": "0".repeat(64) };
    expect((await post("/hooks/grafana", grafanaMessage, { headers })).statusCode).toBe(200);
  });

  test("is never told in the log", async () => {
    const { post, log } = world();
    await post("/hooks/events", "nonsense", { headers: { authorization: basic(httpToken) } });
    await post("/hooks/events", firing, { headers: { authorization: "Bearer a-wrong-token-0123456" } });
    expect(log()).not.toMatch(new RegExp(`${httpToken}|${basic(httpToken).slice(6)}|a-wrong-token`));
  });
});

describe("refused tokens", () => {
  const refusedOnes = async ({ incidents }: InboundWorld) =>
    (await incidents()).filter(({ source }) => source === "watch");
  const tryTo = async ({ post }: InboundWorld, kind = "alertmanager", times = 1): Promise<void> => {
    for (let time = 0; time < times; time++)
      await post(`/hooks/${kind}`, {}, { headers: { authorization: "Bearer wrong" }, remoteAddress: `10.0.0.${time}` });
  };

  test("raise one incident for each address, at once", async () => {
    const here = world();
    await tryTo(here);
    await tryTo(here, "grafana");
    await until(async () => (await refusedOnes(here)).length === 2, "two incidents");
    await tryTo(here, "alertmanager", 50);
    const [incident] = (await refusedOnes(here)).filter(({ labels }) => labels["hook"] === "alertmanager");
    expect(incident).toMatchObject({ status: "firing", severity: "warning", repeats: false });
    expect(incident?.text).toMatchObject({ args: { count: 1, address: "10.0.0.0" } });
    await here.pass(60_000);
    const [later] = (await refusedOnes(here)).filter(({ labels }) => labels["hook"] === "alertmanager");
    expect(later?.id).toBe(incident?.id);
    expect(later?.text).toMatchObject({ key: "inbound-refused-text", args: { count: 51, address: "10.0.0.49" } });
    expect(JSON.stringify(later)).not.toContain("wrong");
  });

  test("are over after 15 minutes without, and begin again", async () => {
    const here = world();
    await tryTo(here);
    await until(async () => (await refusedOnes(here)).length === 1, "an incident");
    await here.pass(14 * 60_000);
    expect((await refusedOnes(here))[0]?.status).toBe("firing");
    await here.pass(60_000);
    expect((await refusedOnes(here))[0]).toMatchObject({ status: "resolved", text: { key: "inbound-refused-over" } });
    await tryTo(here);
    await until(async () => (await refusedOnes(here))[0]?.status === "firing", "firing again");
    expect((await refusedOnes(here))[0]?.text).toMatchObject({ args: { count: 1 } });
  });

  test("that went to several bots are counted together, and outlive them", async () => {
    const prefix = `refused${process.pid}`;
    const first = world({ prefix });
    await tryTo(first, "alertmanager", 1);
    await until(async () => (await refusedOnes(first)).length === 1, "an incident");
    const second = world({ prefix, clock: first.clock });
    await tryTo(second, "alertmanager", 1);
    await until(async () => JSON.stringify(await refusedOnes(second)).includes('"count":2'), "both");
    await second.pass(15 * 60_000);
    expect((await refusedOnes(second))[0]?.status).toBe("resolved");
  });
});

describe("what is lost because it can not be read", () => {
  const lost = async ({ incidents }: InboundWorld) => (await incidents()).filter(({ source }) => source === "watch");

  test.each([
    ["garbage", "hello", 400, "the body is not JSON: line 1, column 1"],
    ["too much", "x".repeat(8 * 1024 * 1024 + 1), 413, "the body is larger than 8388608 bytes"],
  ])("is an incident with the reason: %s", async (_what, body, status, reason) => {
    const here = world();
    expect((await here.post("/hooks/alertmanager", body, { remoteAddress: "10.0.0.7" })).statusCode).toBe(status);
    await until(async () => (await lost(here)).length === 1, "an incident");
    const [incident] = await lost(here);
    expect(incident).toMatchObject({
      status: "firing",
      severity: "warning",
      title: { key: "inbound-unreadable", args: { hook: "alertmanager" } },
      text: { key: "inbound-unreadable-text", args: { count: 1, address: "10.0.0.7", reason } },
      labels: { check: "hooks", hook: "alertmanager" },
    });
    expect(here.log()).toContain(reason);
    await here.pass(15 * 60_000);
    expect((await lost(here))[0]).toMatchObject({ status: "resolved", text: { key: "inbound-unreadable-over" } });
  });

  test("is not what strangers send", async () => {
    const here = world();
    await here.post("/hooks/alertmanager", "hello", { headers: { authorization: "Bearer wrong" } });
    await until(async () => (await lost(here)).length === 1, "an incident");
    expect((await lost(here))[0]?.title).toMatchObject({ key: "inbound-refused" });
  });

  test.each(["/hooks/alertmanager", "/hooks/grafana", "/hooks/events"])("nested without end, at %s", async (url) => {
    const { post } = world();
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const alert = `{"status":"firing","title":"a","labels":{"a":${deep}}}`;
    const answer = await post(url, url.endsWith("events") ? alert : `{"alerts":[${alert}]}`);
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: "the body is nested too deeply" }]);
  });
});

test("bodies that do not say how large they are take the room that they need", async () => {
  const { server, post, incidents } = world({ limits: { bytes: 4 * 1024 * 1024, body: 3 * 1024 * 1024 } });
  const address = await server.listen({ port: 0, host: "127.0.0.1" });
  const send = async (title: string, parts: readonly string[]): Promise<number> => {
    const body = new ReadableStream({
      start: (controller) => {
        for (const part of [`{"status":"firing","title":"${title}","text":"`, ...parts, '"}'])
          controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    const response = await fetch(`${address}/hooks/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${httpToken}` },
      body,
      duplex: "half",
    });
    await response.text();
    return response.status;
  };
  const few = await Promise.all(Array.from({ length: 20 }, (_, n) => send(`${n}`, ["a"])));
  expect(few).toEqual(Array.from({ length: 20 }, () => 200));
  expect(await incidents()).toHaveLength(20);
  const mebibyte = "x".repeat(1024 * 1024);
  expect(await send("large", [mebibyte, mebibyte, mebibyte])).toBe(413);
  const many = await Promise.all(Array.from({ length: 8 }, (_, n) => send(`large ${n}`, [mebibyte, mebibyte])));
  expect(many.every((status) => status === 200 || status === 503)).toBe(true);
  expect(many).toContain(200);
  // What was refused has left its room.
  expect((await post("/hooks/events", { status: "firing", title: "a", text: mebibyte })).statusCode).toBe(200);
});

test("hundreds that speak of one thing at once are all taken", async () => {
  const { post, incidents } = world();
  const event = { status: "firing", title: "a", fingerprint: "a", text: "" };
  const posts = Array.from({ length: 250 }, (_, n) => post("/hooks/events", { ...event, text: `${n}` }));
  const answers = await Promise.all(posts);
  expect(answers.filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
  expect(await incidents()).toHaveLength(1);
});

test("things that began before 1970 are listed by their severity all the same", async () => {
  const { post, deps } = world();
  const old = { status: "firing", severity: "warning", title: "old", startsAt: "1901-01-01T00:00:00Z" };
  await post("/hooks/events", [old, { status: "firing", severity: "critical", title: "new" }]);
  expect((await deps.incidents.open()).map(({ title }) => title)).toEqual(["new", "old"]);
  expect(await deps.incidents.openCounts()).toEqual({ critical: 1, warning: 1, info: 0 });
});

test("a slash at the end is the same address, and a proxy on this machine says who was refused", async () => {
  const { server, incidents } = world();
  const answer = await server.inject({
    method: "POST",
    url: "/hooks/alertmanager/",
    headers: { "x-forwarded-for": "203.0.113.9", "content-type": "application/json" },
    payload: "{}",
  });
  expect(answer.statusCode).toBe(401);
  await until(async () => (await incidents()).length === 1, "an incident");
  expect((await incidents())[0]?.text).toMatchObject({ args: { address: "203.0.113.9" } });
});

test("in a list of hundreds the end of something comes after its beginning, whatever their severities", async () => {
  const { post, incidents } = world();
  const others = Array.from({ length: 250 }, (_, n) => ({ status: "firing", title: `${n}`, severity: "warning" }));
  const one = { title: "C", fingerprint: "C", labels: {} };
  const list = [{ ...one, status: "firing", severity: "info" }, ...others, { ...one, status: "resolved" }];
  expect((await post("/hooks/events", list)).statusCode).toBe(200);
  expect((await incidents()).find(({ title }) => title === "C")).toMatchObject({ status: "resolved", times: 1 });
});

describe("when it can not be persisted", () => {
  test("it is 503 with the time to come again, and is taken when it does", async () => {
    await using redis = await startRedis();
    const { post, incidents, log, server } = inboundWorld({ redisUrl: redis.url, limits: { patienceMs: 300 } });
    await post("/hooks/events", { status: "firing", title: "before", fingerprint: "0" });
    await redis.kill();
    const startedAt = performance.now();
    const answer = await post("/hooks/alertmanager", alertmanagerMessage);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
    expect(answer.json()).toEqual({ error: "it could not be persisted" });
    // What is wrong with a message is said all the same.
    expect((await post("/hooks/alertmanager", "x")).statusCode).toBe(400);
    expect((await post("/hooks/alertmanager", {}, { headers: { authorization: "" } })).statusCode).toBe(401);
    expect((await server.inject("/healthz")).statusCode).toBe(200);
    await redis.restart();
    await until(async () => (await post("/hooks/alertmanager", alertmanagerMessage)).statusCode === 200, "taken");
    expect((await incidents()).filter(({ source }) => source === "alertmanager")).toHaveLength(1);
    expect(log()).not.toContain(httpToken);
  });

  test("it is 503 when Redis refuses to write", async () => {
    await using redis = await startRedis();
    const { post, deps } = inboundWorld({ redisUrl: redis.url });
    await deps.redis.config("SET", "maxmemory", "1");
    const answer = await post("/hooks/alertmanager", alertmanagerMessage);
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
    await deps.redis.config("SET", "maxmemory", "0");
    expect((await post("/hooks/alertmanager", alertmanagerMessage)).statusCode).toBe(200);
  });

  test("only so many wait, however many come: the rest is told at once to come again", async () => {
    await using redis = await startRedis();
    const limits = { patienceMs: 200, requests: 4, bytes: 10_000 };
    const { post, deps, incidents } = inboundWorld({ redisUrl: redis.url, limits });
    await deps.redis.ping();
    process.kill(redis.pid(), "SIGSTOP");
    const event = (name: string) => ({ status: "firing", title: name, fingerprint: name });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => post("/hooks/events", event(`e${n}`))));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 503));
    expect(answers.filter(({ headers }) => headers["retry-after"] === "1")).toHaveLength(16);
    // Those that were given up are still under way: they keep their places.
    expect((await post("/hooks/events", event("late"))).headers["retry-after"]).toBe("1");
    process.kill(redis.pid(), "SIGCONT");
    await until(async () => (await post("/hooks/events", event("late"))).statusCode === 200, "room again");
    await until(async () => (await incidents()).length === 5, "the four and the late one");
  });

  test("only so many bytes wait", async () => {
    const { post } = world({ limits: { bytes: 5000 } });
    const event = { status: "info", title: "a", text: "x".repeat(6000) };
    const answer = await post("/hooks/events", event);
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await post("/hooks/events", { ...event, text: "x" })).statusCode).toBe(200);
  });
});

describe("over a real connection", () => {
  const listen = async (here: InboundWorld): Promise<string> =>
    await here.server.listen({ host: "127.0.0.1", port: 0 });

  test("places are given back when the request is answered or broken off", async () => {
    const here = world({ limits: { requests: 2 } });
    const url = await listen(here);
    const send = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${httpToken}` };
      const body = JSON.stringify({ status: "info", title: "a" });
      return (await fetch(`${url}/hooks/events`, { method: "POST", headers, body })).status;
    };
    for (let time = 0; time < 10; time++) expect(await send()).toBe(200);
    // "100 Continue" says that a request is inside. Before it, a request that asks for room could take it away.
    const isInside = Promise.withResolvers<void>();
    let inside = 0;
    const open = Array.from({ length: 2 }, () => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      socket.once("data", (chunk: Buffer) => {
        if (!chunk.toString().startsWith("HTTP/1.1 100 ")) isInside.reject(new Error(chunk.toString()));
        else if (++inside === 2) isInside.resolve();
      });
      socket.write(
        `POST /hooks/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${httpToken}\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n{`,
      );
      return socket;
    });
    await isInside.promise;
    await until(async () => (await send()) === 503, "both places taken");
    for (const socket of open) socket.destroy();
    await until(async () => (await send()) === 200, "both places free");
  });

  test("whoever has no token sends no body", async () => {
    const here = world();
    const url = await listen(here);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write("POST /hooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text.includes("\r\n\r\n"), "an answer before the body");
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
  });

  test("a body of unknown length is cut off at the limit", async () => {
    const here = world();
    const url = await listen(here);
    const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        if (sent > 12) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const init = { method: "POST", headers: { authorization: `Bearer ${httpToken}` }, body, duplex: "half" };
    const answer = await fetch(`${url}/hooks/events`, init as RequestInit).then(
      ({ status }) => status,
      // The connection may be closed before the answer is read.
      () => 413,
    );
    expect(answer).toBe(413);
  });
});
