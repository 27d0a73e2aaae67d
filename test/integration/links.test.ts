import { GrammyError } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import type { BotDeps } from "../../src/bot/context.ts";
import { deliverLinks } from "../../src/bot/link-delivery.ts";
import { AppError } from "../../src/core/errors.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aBackup, dailyManifest, idOf, jobContext, putBackup, retentionWorld } from "../support/catalogue.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const signature = "X-Amz-Signature=0123456789abcdef";

async function world() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const made = retentionWorld(fixture, {
    storages: { local: { kind: "local", path: folder.path } },
    backups: [aBackup()],
  });
  const { deps, clock } = made;
  const local = await made.storage("local");
  const backup = await putBackup(local, dailyManifest(0, { encryption: { format: "age", recipients: ["age1x"] } }));
  local.presign = (key, seconds) => Promise.resolve(`https://s3.test/${key}?${signature}&seconds=${seconds}&a="b"`);
  const ask = async () => {
    const by = { id: 111, name: "alice" };
    const order = {
      name: "app",
      run: idOf(0),
      folder: backup,
      storage: "local",
      by,
      locale: "en",
      chatId: 111,
    } as const;
    await deps.linkOrders.request(order);
    const [pending] = await deps.links.pending();
    return pending?.order.id ?? "";
  };
  const sent: { chat: number; html: string }[] = [];
  let refusal: Error | undefined;
  const api = {
    sendMessage: (chat: number, html: string) => {
      if (refusal) return Promise.reject(refusal);
      sent.push({ chat, html });
      return Promise.resolve({});
    },
  };
  const deliver = async () =>
    await deliverLinks(
      { ...deps, messages: messagesOf } as unknown as Parameters<typeof deliverLinks>[0],
      api as never,
    );
  const refuse = (error: Error | undefined) => {
    refusal = error;
  };
  const make = async (id: string, change = {}) => await deps.linkMaker.execute(id, jobContext(change));
  const inRedis = async () => {
    const keys = await fixture.redis.keys(`${deps.config.redis.prefix}:*`);
    const dumps = await Promise.all(keys.map(async (key) => (await fixture.redis.dumpBuffer(key))?.toString("latin1")));
    return dumps.some((dump) => dump?.includes("X-Amz-Signature"));
  };
  return { ...made, local, ask, deliver, make, sent, refuse, inRedis, clock };
}

test("links are sent once, to the private chat of whoever asked, and are forgotten then", async () => {
  const { ask, deliver, make, sent, inRedis, deps } = await world();
  const id = await ask();
  await deliver();
  expect(sent).toEqual([]);
  const outcome = await make(id);
  expect(JSON.stringify(outcome)).not.toContain("X-Amz");
  await Promise.all([deliver(), deliver()]);
  expect(sent).toHaveLength(1);
  expect(sent[0]?.chat).toBe(111);
  expect(sent[0]?.html).toContain(`${signature}&amp;seconds=600&amp;a=&quot;b&quot;">artifact.dump.zst</a>`);
  expect(sent[0]?.html).toContain("no use without the key");
  expect(await inRedis()).toBe(false);
  expect(await deps.links.pending()).toEqual([]);
  // A bot that has seen it before it was delivered.
  expect(await deps.links.claim(id)).toBe(false);
  // The job of a worker that was killed after it had answered.
  expect(await make(id)).toEqual({ done: { link: id, status: "unknown" } });
});

test("an answer that no bot takes is gone after a minute; a killed worker's order is made by the next one", async () => {
  const { ask, make, deps, worker, inRedis } = await world();
  const id = await ask();
  const other = worker();
  expect(await other.links.pending()).toHaveLength(1);
  await make(id);
  expect(await inRedis()).toBe(true);
  const ttl = await fixture.redis.pttl(`${deps.config.redis.prefix}:v1:link:${id}`);
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(60_000);
});

test("what goes wrong is told instead: a passing failure at the last attempt, a lasting one at once, nobody at work", async () => {
  const { ask, deliver, make, sent, local, clock } = await world();
  local.presign = () => Promise.reject(new AppError("storage-unreachable", "no way there", { permanent: false }));
  const id = await ask();
  await expect(make(id, { maxAttempts: 3 })).rejects.toThrow("no way there");
  expect(await make(id, { attempt: 3, maxAttempts: 3 })).toMatchObject({ done: { status: "failed" } });
  await deliver();
  expect(sent.at(-1)?.html).toContain("no way there");
  delete (local as { presign?: unknown }).presign;
  expect(await make(await ask(), { maxAttempts: 3 })).toMatchObject({ done: { code: "config" } });
  await deliver();
  expect(sent.at(-1)?.html).toContain("gives no download links");
  await ask();
  clock.advance(61_000);
  await deliver();
  expect(sent.at(-1)?.html).toContain("no worker that reaches its storage has answered");
});

test("what Telegram does not take is tried again while the person may be waiting, and its reason names no link", async () => {
  const { ask, deliver, make, sent, refuse, deps, inRedis } = await world();
  const lines: object[] = [];
  const logger = { warn: (line: object) => lines.push(line) } as unknown as BotDeps["logger"];
  Object.assign(deps, { logger });
  await make(await ask());
  refuse(new GrammyError("Bad Gateway", { ok: false, error_code: 502, description: "Bad Gateway" }, "sendMessage", {}));
  await deliver();
  expect(lines).toMatchObject([{ backup: "app", failure: "passing" }]);
  refuse(undefined);
  await fixture.redis.del(...(await fixture.redis.keys(`${deps.config.redis.prefix}:v1:link-claim:*`)));
  await deliver();
  expect(sent).toHaveLength(1);
  await make(await ask());
  const blocked = { ok: false as const, error_code: 403, description: "Forbidden: bot was blocked by the user" };
  refuse(new GrammyError("Forbidden", blocked, "sendMessage", { text: signature }));
  await deliver();
  expect(JSON.stringify(lines)).not.toContain("X-Amz");
  expect(await inRedis()).toBe(false);
});

test("presses in a row are one order until it is answered, and the next press is another", async () => {
  const { ask, deliver, make, sent, deps } = await world();
  const [id] = await Promise.all([ask(), ask(), ask()]);
  expect(await deps.links.pending()).toHaveLength(1);
  await make(id ?? "");
  await deliver();
  expect(sent).toHaveLength(1);
  await make(await ask());
  await deliver();
  expect(sent).toHaveLength(2);
});
