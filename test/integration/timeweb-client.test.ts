import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AppError, surelyNotDone } from "../../src/core/errors.ts";
import { TimewebClient, type TimewebOptions } from "../../src/lib/clients/timeweb.ts";
import { serversSchema } from "../../src/lib/clients/timeweb-schema.ts";
import type { Fault, TimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { never, noLimit, startTimeweb } from "../support/timeweb.ts";

const path = "/api/v1/servers";
const anything = z.unknown();

function clientOf(sandbox: TimewebSandbox, options: Partial<TimewebOptions> = {}): TimewebClient {
  const { url: apiUrl, token } = sandbox;
  return new TimewebClient({ account: "timeweb", apiUrl, token, rate: noLimit, timeoutMs: 400, ...options });
}

async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`no AppError, but ${String(error)}`);
  return error;
}

describe("a question", () => {
  test("gives what is needed of the answer, and the time by the other side's clock", async () => {
    const { sandbox, clock } = await startTimeweb();
    const { data, date } = await clientOf(sandbox).get(path, serversSchema, never);
    expect(data.servers.map(({ id, name, status }) => [id, name, status])).toEqual([
      [101, "web-1", "on"],
      [102, "web-2", "on"],
    ]);
    expect(date).toEqual(clock.now());
    expect(JSON.stringify(data)).not.toContain("secret");
  });

  test.each([
    ["an error of theirs", { kind: "status", status: 500 }],
    ["a page of the edge that says 404", { kind: "status", status: 404, body: "html" }],
    ["an empty 502", { kind: "status", status: 502, body: "empty" }],
    ["too many requests, with nothing said of when", { kind: "status", status: 429 }],
    ["the edge's page of too many requests", { kind: "status", status: 429, body: "html" }],
    ["a torn body", { kind: "garbage" }],
    ["a connection that breaks", { kind: "reset" }],
    ["no answer in time", { kind: "silent" }],
    ["a slow answer", { kind: "slow", delayMs: 2000 }],
  ] as const)("is asked again after %s", async (_name, fault) => {
    const { sandbox } = await startTimeweb({ faults: [{ ...fault, times: 1 }] });
    const { data } = await clientOf(sandbox).get(path, serversSchema, never);
    expect(data.servers).toHaveLength(2);
    expect(sandbox.requests()).toHaveLength(2);
  });

  test.each([
    ["an error of theirs", { kind: "status", status: 500 }, "provider-failed", "error-provider-failed"],
    [
      "a page of the edge",
      { kind: "status", status: 404, body: "html" },
      "provider-unreachable",
      "error-provider-edge",
    ],
    ["an empty answer", { kind: "status", status: 403, body: "empty" }, "provider-unreachable", "error-provider-edge"],
    ["too many requests", { kind: "status", status: 429 }, "provider-unreachable", "error-provider-rate"],
    ["garbage", { kind: "garbage" }, "provider-failed", "error-provider-garbage"],
    ["another form", { kind: "form" }, "provider-failed", "error-provider-garbage"],
    ["a body without end", { kind: "endless" }, "provider-failed", "error-provider-garbage"],
    ["a connection that breaks", { kind: "reset" }, "provider-unreachable", "error-provider-network"],
    ["no answer", { kind: "silent" }, "provider-unreachable", "error-provider-timeout"],
  ] as const)(
    "that meets %s every time fails after three attempts, and may be asked later",
    async (_name, fault, code, key) => {
      const { sandbox } = await startTimeweb({ faults: [fault] });
      // 8 MiB take their time on a busy machine.
      const timeoutMs = fault.kind === "endless" ? 10_000 : 300;
      const error = await failureOf(clientOf(sandbox, { timeoutMs }).get(path, serversSchema, never));
      expect([error.code, error.permanent, error.text?.key]).toEqual([code, false, key]);
      expect(error.message).toContain("GET /api/v1/servers");
      expect(sandbox.requests()).toHaveLength(3);
    },
  );

  test.each([
    ["a token that is not accepted, without a body", { kind: "status", status: 401, body: "empty" }, "provider-token"],
    ["the same as a page", { kind: "status", status: 401, body: "html" }, "provider-token"],
    ["404 in the API's own words", { kind: "status", status: 404 }, "not-found"],
    ["a refusal", { kind: "status", status: 403 }, "provider-refused"],
  ] as const)("is asked once when it meets %s", async (_name, fault, code) => {
    const { sandbox } = await startTimeweb({ faults: [fault] });
    const error = await failureOf(clientOf(sandbox).get(path, serversSchema, never));
    expect([error.code, error.permanent]).toEqual([code, true]);
    expect(sandbox.requests()).toHaveLength(1);
  });

  test("fails when nobody listens, and says that nothing was sent", async () => {
    const { sandbox } = await startTimeweb();
    await sandbox.refuse();
    const error = await failureOf(clientOf(sandbox).get(path, anything, never, { once: true }));
    expect([error.code, error.text?.args?.["reason"], surelyNotDone(error)]).toEqual([
      "provider-unreachable",
      "ECONNREFUSED",
      true,
    ]);
  });

  test("ends at once when it is given up: waiting for its turn, for the answer, or between two attempts", async () => {
    const { sandbox } = await startTimeweb();
    const reason = new Error("given up");
    const waiting = new AbortController();
    const turns = {
      take: (signal: AbortSignal) =>
        new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      penalize: () => Promise.resolve(),
    };
    const first = clientOf(sandbox, { rate: turns }).get(path, anything, waiting.signal);
    waiting.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(sandbox.requests()).toHaveLength(0);

    sandbox.addFault({ kind: "silent" });
    const asking = new AbortController();
    const second = clientOf(sandbox, { timeoutMs: 60_000 }).get(path, anything, asking.signal);
    await expect.poll(() => sandbox.requests().length).toBe(1);
    asking.abort(reason);
    await expect(second).rejects.toBe(reason);

    sandbox.clearFaults();
    sandbox.addFault({ kind: "status", status: 500 });
    const between = new AbortController();
    const third = clientOf(sandbox).get(path, anything, between.signal);
    third.catch(() => undefined);
    // Some of the pauses between attempts are short.
    await expect.poll(() => sandbox.requests().length, { interval: 1 }).toBe(2);
    between.abort(reason);
    await expect(third).rejects.toBe(reason);
    expect(getEventListeners(between.signal, "abort")).toHaveLength(0);
  });

  test("that is asked once only is asked again when it got no answer at all: torn off, or one too many", async () => {
    const { sandbox } = await startTimeweb();
    const once = (times: number, fault: Fault) => {
      sandbox.clearFaults();
      sandbox.forgetRequests();
      sandbox.addFault({ ...fault, times });
      return clientOf(sandbox).get(path, serversSchema, never, { once: true });
    };
    expect((await once(1, { kind: "reset" })).data.servers).toHaveLength(2);
    expect((await once(2, { kind: "status", status: 429 })).data.servers).toHaveLength(2);
    await failureOf(once(3, { kind: "status", status: 429 }));
    await failureOf(once(2, { kind: "reset" }));
    await failureOf(once(1, { kind: "status", status: 500 }));
    expect(sandbox.requests()).toHaveLength(1);
  });

  test("that is too many for the API lets all wait, longer each time, and is forgiven", async () => {
    const { sandbox } = await startTimeweb();
    const penalties: number[] = [];
    const rate = { ...noLimit, penalize: (ms: number) => Promise.resolve(void penalties.push(ms)) };
    const client = clientOf(sandbox, { rate });
    sandbox.addFault({ kind: "status", status: 429, times: 9 });
    for (let n = 0; n < 3; n++) await failureOf(client.get(path, serversSchema, never, { once: true }));
    expect(penalties).toHaveLength(9);
    for (const [n, ms] of penalties.entries())
      expect(Math.abs(ms / Math.min(500 * 2 ** n, 30_000) - 1)).toBeLessThan(0.26);
    for (let n = 0; n < 60; n++) await client.get(path, serversSchema, never);
    sandbox.addFault({ kind: "status", status: 429, times: 1 });
    await client.get(path, serversSchema, never, { once: true });
    expect(penalties.at(-1)).toBeLessThan(700);
  });

  test("takes a turn for each attempt, and tells of too many requests", async () => {
    const { sandbox } = await startTimeweb({ faults: [{ kind: "status", status: 429, times: 1 }] });
    const seen: string[] = [];
    const rate = {
      take: (_: AbortSignal, urgent?: boolean) => Promise.resolve(void seen.push(urgent ? "urgent" : "turn")),
      penalize: (ms: number) => Promise.resolve(void seen.push(ms >= 375 ? "penalty" : `only ${ms}`)),
    };
    await clientOf(sandbox, { rate }).get(path, serversSchema, never, { urgent: true });
    expect(seen).toEqual(["urgent", "penalty", "urgent"]);
  });
});

describe("an order", () => {
  const order = (sandbox: TimewebSandbox) => clientOf(sandbox).order("POST", `${path}/101/reboot`, undefined, never);

  test("is sent once and answered by nothing", async () => {
    const { sandbox } = await startTimeweb();
    expect(await order(sandbox)).toBeUndefined();
    expect(sandbox.server(101).status).toBe("rebooting");
    expect(sandbox.counts()).toEqual({ "POST /api/v1/servers/:id/reboot": 1 });
  });

  test.each([
    ["401", { kind: "status", status: 401, body: "empty" }, true],
    ["404 of the edge", { kind: "status", status: 404, body: "html" }, true],
    ["429", { kind: "status", status: 429 }, true],
    ["409", { kind: "status", status: 409 }, true],
    ["500", { kind: "status", status: 500 }, false],
    ["502 of the edge", { kind: "status", status: 502, body: "html" }, false],
    ["no answer in time", { kind: "silent" }, false],
    ["a broken connection", { kind: "reset" }, false],
  ] as const)(
    "that meets %s is never repeated, and tells whether it was surely not done",
    async (_name, fault, isSure) => {
      const { sandbox } = await startTimeweb({ faults: [fault] });
      expect(surelyNotDone(await failureOf(order(sandbox)))).toBe(isSure);
      expect(sandbox.requests()).toHaveLength(1);
      expect(sandbox.server(101).status).toBe("on");
    },
  );

  test("whose answer is lost was carried out, and the error leaves that open", async () => {
    const { sandbox } = await startTimeweb({ faults: [{ kind: "lost-answer" }] });
    expect(surelyNotDone(await failureOf(order(sandbox)))).toBe(false);
    expect(sandbox.server(101).status).toBe("rebooting");
    expect(sandbox.requests()).toHaveLength(1);
  });

  test("that nobody could take was not sent", async () => {
    const { sandbox } = await startTimeweb();
    await sandbox.refuse();
    expect(surelyNotDone(await failureOf(order(sandbox)))).toBe(true);
  });

  test.each([
    ["Redis gives no turns", new AppError("redis", "no turn", { permanent: false }), "redis"],
    ["nobody waits any longer", new DOMException("late", "TimeoutError"), "provider-unreachable"],
  ])("whose turn never comes, since %s, was not sent and says so", async (_name, reason, code) => {
    const { sandbox } = await startTimeweb();
    const client = clientOf(sandbox, { rate: { ...noLimit, take: () => Promise.reject(reason) } });
    const error = await failureOf(client.order("POST", `${path}/101/reboot`, undefined, never));
    expect(error).toMatchObject({ code, permanent: false });
    expect(surelyNotDone(error)).toBe(true);
    expect(sandbox.requests()).toEqual([]);
  });

  test("is not carried elsewhere by a redirect", async () => {
    const { sandbox } = await startTimeweb({ faults: [{ kind: "status", status: 307, body: "empty" }] });
    expect((await failureOf(order(sandbox))).code).toBe("provider-unreachable");
    expect(sandbox.requests()).toHaveLength(1);
  });
});
