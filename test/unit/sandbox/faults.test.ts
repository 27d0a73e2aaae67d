import { describe, expect, test } from "vitest";
import type { Fault, TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { ALICE, type ApiAnswer, BOT, callApi, GROUP_ID, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const send = (sandbox: TelegramSandbox, chat_id = SUPERGROUP_ID): Promise<ApiAnswer> =>
  callApi(sandbox, "sendMessage", { chat_id, text: "x" });

describe("answers made to fail", () => {
  test.each<[Fault, object]>([
    [{ kind: "status" }, { status: 502, ok: false, error_code: 502, description: "Bad Gateway" }],
    [
      { kind: "status", status: 500 },
      { status: 500, ok: false, error_code: 500, description: "Internal Server Error" },
    ],
    [
      { kind: "retry-after", retryAfter: 7 },
      {
        status: 429,
        ok: false,
        error_code: 429,
        description: "Too Many Requests: retry after 7",
        parameters: { retry_after: 7 },
      },
    ],
  ])("%j", async (fault, expected) => {
    const sandbox = await testSandbox();
    sandbox.addFault(fault);
    expect(await send(sandbox)).toEqual(expected);
    expect(sandbox.messages(SUPERGROUP_ID)).toEqual([]);
    sandbox.clearFaults();
    expect(await send(sandbox)).toMatchObject({ ok: true });
  });

  test("an edge's HTML page", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "status", status: 502, html: true });
    const response = await fetch(`${sandbox.apiRoot}/bot${BOT.token}/getMe`);
    expect([response.status, response.headers.get("content-type")]).toEqual([502, "text/html"]);
    expect(await response.text()).toContain("<h1>502 Bad Gateway</h1>");
  });

  test("a connection cut before and after the work is done", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "reset", times: 1 });
    await expect(send(sandbox)).rejects.toThrow();
    expect(sandbox.messages(SUPERGROUP_ID)).toHaveLength(0);
    sandbox.addFault({ kind: "lost-answer", times: 1 });
    await expect(send(sandbox)).rejects.toThrow();
    expect(sandbox.messages(SUPERGROUP_ID)).toHaveLength(1);
    expect(await send(sandbox)).toMatchObject({ ok: true });
  });

  test("silence until the client gives up", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "blackhole" });
    const answer = fetch(`${sandbox.apiRoot}/bot${BOT.token}/getMe`, { signal: AbortSignal.timeout(100) });
    await expect(answer).rejects.toThrow("timeout");
  });

  test("a slow answer comes late, the work is done at once", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "slow", delayMs: 50 });
    const started = performance.now();
    const answer = send(sandbox);
    await sandbox.waitForMessage(SUPERGROUP_ID, (message) => message.text === "x");
    expect(await answer).toMatchObject({ ok: true });
    expect(performance.now() - started).toBeGreaterThan(45);
  });

  test("a poll that waits is hit as well and loses nothing", async () => {
    const sandbox = await testSandbox();
    const poll = callApi(sandbox, "getUpdates", { timeout: 20 });
    await sandbox.waitFor(() => sandbox.isPolled());
    sandbox.addFault({ kind: "status", methods: ["getUpdates"], times: 1 });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "hello" });
    expect(await poll).toMatchObject({ status: 502 });
    expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([{ message: { text: "hello" } }]);
  });
});

test("calls that a fault refused are recorded too", async () => {
  const sandbox = await testSandbox();
  sandbox.addFault({ kind: "retry-after", retryAfter: 3, times: 1 });
  sandbox.addFault({ kind: "reset", times: 1 });
  await send(sandbox);
  await expect(send(sandbox)).rejects.toThrow();
  await send(sandbox);
  const said = sandbox.calls().map(({ ok, error_code, description }) => [ok, error_code, description]);
  expect(said).toEqual([
    [false, 429, "Too Many Requests: retry after 3"],
    [false, undefined, "(no answer)"],
    [true, undefined, undefined],
  ]);
});

test("a sandbox closes at once, whatever still waits for it", async () => {
  const sandbox = await testSandbox();
  const poll = callApi(sandbox, "getUpdates", { timeout: 20 });
  await sandbox.waitFor(() => sandbox.isPolled());
  sandbox.addFault({ kind: "blackhole", methods: ["getMe"] });
  const silent = callApi(sandbox, "getMe");
  await sandbox.waitForCall("getMe");
  const events = await fetch(`${sandbox.url}/sandbox/events`);
  const ends = Promise.allSettled([poll, silent, events.text()]);
  await sandbox.close();
  expect((await ends).map((end) => end.status)).not.toContain("pending");
});

describe("faults end", () => {
  test("after so many calls", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "status", times: 2 });
    const answers = [await send(sandbox), await send(sandbox), await send(sandbox)];
    expect(answers.map((answer) => answer.ok)).toEqual([false, false, true]);
    expect(sandbox.faults()).toEqual([]);
  });

  test("after a time on the sandbox's clock, which can also begin later", async () => {
    const sandbox = await testSandbox({ now: { manual: true } });
    sandbox.addFault({ kind: "status", afterMs: 1000, forMs: 5000 });
    const answers = [await send(sandbox)];
    for (const ms of [1000, 4999, 1]) {
      sandbox.advance(ms);
      answers.push(await send(sandbox));
    }
    expect(answers.map((answer) => answer.ok)).toEqual([true, false, false, true]);
  });

  test("where method or chat differ", async () => {
    const sandbox = await testSandbox();
    sandbox.addFault({ kind: "status", methods: ["sendmessage"], chatId: GROUP_ID });
    expect(await send(sandbox)).toMatchObject({ ok: true });
    expect(await callApi(sandbox, "getChat", { chat_id: GROUP_ID })).toMatchObject({ ok: true });
    expect(await send(sandbox, GROUP_ID)).toMatchObject({ ok: false });
    expect(sandbox.faults()).toMatchObject([{ id: "f1", kind: "status", hits: 1 }]);
  });
});
