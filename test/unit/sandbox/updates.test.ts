import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { ALICE, BOT, BOT_ID, callApi, EVE, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const HOUR = 3_600_000;

describe("getUpdates", () => {
  test("gives what waits until it is confirmed by the offset", async () => {
    const sandbox = await testSandbox();
    for (const text of ["one", "two", "three"]) sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text });
    const all = await callApi(sandbox, "getUpdates");
    const ids = all.result.map((update: { update_id: number }) => update.update_id);
    expect(all.result.map((update: { message: { text: string } }) => update.message.text)).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(await callApi(sandbox, "getUpdates", { limit: 1 })).toMatchObject({ result: [{ update_id: ids[0] }] });
    expect((await callApi(sandbox, "getUpdates", { offset: ids[2] })).result).toHaveLength(1);
    expect((await callApi(sandbox, "getUpdates")).result).toHaveLength(1);
    expect(sandbox.pendingUpdates()).toBe(1);
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "four" });
    expect((await callApi(sandbox, "getUpdates", { offset: -1 })).result).toMatchObject([
      { message: { text: "four" } },
    ]);
  });

  test("waits for the next update", async () => {
    const sandbox = await testSandbox();
    const poll = callApi(sandbox, "getUpdates", { timeout: 20 });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "now" });
    expect((await poll).result).toMatchObject([
      { message: { text: "now", from: { id: ALICE.id }, chat: { id: ALICE.id, type: "private" } } },
    ]);
  });

  test("of two pollers the older one gets 409", async () => {
    const sandbox = await testSandbox();
    const older = callApi(sandbox, "getUpdates", { timeout: 20 });
    await sandbox.waitFor(() => sandbox.isPolled());
    const newer = callApi(sandbox, "getUpdates", { timeout: 20 });
    expect(await older).toEqual({
      status: 409,
      ok: false,
      error_code: 409,
      description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "x" });
    expect(await newer).toMatchObject({ ok: true, result: [{ message: { text: "x" } }] });
  });

  test("a poller that went away is no conflict", async () => {
    const sandbox = await testSandbox();
    const gone = new AbortController();
    const poll = fetch(`${sandbox.apiRoot}/bot${BOT.token}/getUpdates?timeout=20`, { signal: gone.signal });
    await sandbox.waitFor(() => sandbox.isPolled());
    gone.abort();
    await expect(poll).rejects.toThrow();
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "x" });
    expect(await callApi(sandbox, "getUpdates", { timeout: 20 })).toMatchObject({
      ok: true,
      result: [{ message: { text: "x" } }],
    });
  });

  test("a poller that was killed is no conflict, however soon the next one asks", async () => {
    const sandbox = await testSandbox();
    const request = (path: string): string =>
      `GET ${new URL(sandbox.apiRoot).pathname.replace(/\/$/, "")}/bot${BOT.token}/${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const [older, newer] = [connect(sandbox.port, "127.0.0.1"), connect(sandbox.port, "127.0.0.1")];
    onTestFinished(() => void newer.destroy());
    newer.write(request("getMe"));
    await once(newer, "data");
    older.write(request("getUpdates?timeout=20"));
    await sandbox.waitFor(() => sandbox.isPolled());
    // Both are there when the sandbox looks again.
    older.destroy();
    newer.write(request("getUpdates"));
    expect(String((await once(newer, "data"))[0])).toContain('"result":[]');
    newer.write(request("getMe"));
    await once(newer, "data");
    expect(sandbox.calls().filter((call) => call.error_code === 409)).toEqual([]);
  });

  test("updates are kept for 24 hours", async () => {
    const sandbox = await testSandbox({ now: { manual: true, start: new Date("2026-01-01T00:00:00Z") } });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "old" });
    sandbox.advance(20 * HOUR);
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "younger" });
    sandbox.advance(4 * HOUR);
    const { result } = await callApi(sandbox, "getUpdates");
    expect(result).toMatchObject([{ message: { text: "younger", date: Date.UTC(2026, 0, 1, 20) / 1000 } }]);
  });

  test("a message can come from the past, as after an outage", async () => {
    const sandbox = await testSandbox({ now: { manual: true, start: new Date("2026-01-02T00:00:00Z") } });
    const date = Date.UTC(2026, 0, 1, 12) / 1000;
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/reboot", date });
    expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([{ message: { text: "/reboot", date } }]);
  });

  test("only what was asked for, chat_member only when asked for", async () => {
    const sandbox = await testSandbox();
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "administrator");
    await callApi(sandbox, "getUpdates", { offset: -1 });
    sandbox.setMember(SUPERGROUP_ID, EVE.id, "member");
    const types = async (): Promise<string[]> => {
      const { result } = await callApi(sandbox, "getUpdates");
      await callApi(sandbox, "getUpdates", { offset: result.at(-1).update_id + 1 });
      return result.map((update: object) => Object.keys(update)[1]);
    };
    expect(await types()).toEqual(["my_chat_member", "message"]);
    await callApi(sandbox, "getUpdates", { allowed_updates: ["chat_member"] });
    sandbox.setMember(SUPERGROUP_ID, EVE.id, "left");
    expect(await types()).toEqual(["chat_member"]);
    await callApi(sandbox, "getUpdates", { allowed_updates: "[]" });
    sandbox.setMember(SUPERGROUP_ID, EVE.id, "member");
    expect(await types()).toEqual(["message"]);
  });
});

describe("webhook", () => {
  interface Received {
    readonly headers: IncomingHttpHeaders;
    readonly body: { update_id: number; message: { text: string } };
  }

  async function receiver(
    answer: (received: Received) => { status: number; body?: object },
  ): Promise<{ url: string; got: Received[]; port: number }> {
    const got: Received[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const received: Received = { headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
        got.push(received);
        const { status, body } = answer(received);
        response.writeHead(status, { "content-type": "application/json" }).end(body ? JSON.stringify(body) : "");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/hook`, got, port };
  }

  test("gets updates in order with the secret, repeated until taken, and may answer with a call", async () => {
    const sandbox = await testSandbox({ webhookRetryMs: 1 });
    let refusals = 2;
    const hook = await receiver(({ body }) => {
      if (refusals > 0) {
        refusals -= 1;
        return { status: 500 };
      }
      return { status: 200, body: { method: "sendMessage", chat_id: ALICE.id, text: `got ${body.message.text}` } };
    });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "one" });
    const set = await callApi(sandbox, "setWebhook", { url: hook.url, secret_token: "s3cret_-" });
    expect(set).toEqual({ status: 200, ok: true, result: true, description: "Webhook was set" });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "two" });
    await sandbox.waitForMessage(ALICE.id, (message) => message.text === "got two");
    expect(hook.got.map(({ body }) => body.message.text)).toEqual(["one", "one", "one", "two"]);
    expect(hook.got[0]?.headers).toMatchObject({
      "x-telegram-bot-api-secret-token": "s3cret_-",
      "content-type": "application/json",
    });
    const { result } = await callApi(sandbox, "getWebhookInfo");
    expect(result).toMatchObject({
      url: hook.url,
      last_error_message: "Wrong response from the webhook: 500 Internal Server Error",
    });
    expect(await callApi(sandbox, "getUpdates")).toMatchObject({
      status: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
    expect(await callApi(sandbox, "deleteWebhook")).toMatchObject({ result: true, description: "Webhook was deleted" });
    expect(await callApi(sandbox, "deleteWebhook")).toMatchObject({
      result: true,
      description: "Webhook is already deleted",
    });
    expect(await callApi(sandbox, "getUpdates")).toMatchObject({ ok: true, result: [] });
  });

  test.each<[object, string]>([
    [{ url: "http://example.org/" }, "bad webhook: An HTTPS URL must be provided for webhook"],
    [{ url: "https://example.org:8080/" }, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"],
    [{ url: "https://example.org/", secret_token: "no spaces" }, "secret token contains unallowed characters"],
    [{ url: "https://example.org/", secret_token: "x".repeat(257) }, "secret token is too long"],
    [{ url: "nonsense" }, "bad webhook: Invalid URL"],
  ])("refuses %j", async (params, description) => {
    const sandbox = await testSandbox();
    expect(await callApi(sandbox, "setWebhook", params)).toMatchObject({
      status: 400,
      description: `Bad Request: ${description}`,
    });
  });

  test("ends a poll that waits, and can drop what waits", async () => {
    const sandbox = await testSandbox();
    const poll = callApi(sandbox, "getUpdates", { timeout: 20 });
    await sandbox.waitFor(() => sandbox.isPolled());
    await callApi(sandbox, "setWebhook", { url: "https://example.org/" });
    expect(await poll).toMatchObject({ status: 409, description: "Conflict: terminated by setWebhook request" });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "x" });
    await callApi(sandbox, "deleteWebhook", { drop_pending_updates: true });
    expect(sandbox.pendingUpdates()).toBe(0);
  });
});
