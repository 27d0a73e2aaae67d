// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the configuration's own variables.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { manifestFolder, runFolder } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { type DoctorCheck, type Finding, runChecks } from "../../src/services/doctor.ts";
import { probeRedis } from "../../src/services/probes/redis.ts";
import { probeEncryption, probeKey } from "../../src/services/probes/stores.ts";
import { probeChat, probeClock, probeUpdates } from "../../src/services/probes/telegram.ts";
import { storageSchema } from "../../src/storages/index.ts";
import { orderOf, quiet, sourceOf, storageOf } from "../support/backup.ts";
import { runCli } from "../support/cli.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import {
  ALERTS_TOPIC,
  BACKUPS_TOPIC,
  BOT,
  BOT_ID,
  callApi,
  FORUM_ID,
  SUPERGROUP_ID,
  testSandbox,
} from "../support/sandbox.ts";

let folder: string;
let redis: RedisServer;
let postgres: PostgresServer;
let s3: S3Server;
let databaseUrl: string;

const { signal } = new AbortController();

beforeAll(async () => {
  [redis, postgres, s3] = await Promise.all([startRedis(), startPostgres(), startS3()]);
  databaseUrl = await postgres.createDatabase("shop", "CREATE TABLE item (id int)");
});

afterAll(async () => {
  await Promise.allSettled([redis?.stop(), postgres?.stop(), s3?.stop()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-doctor-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function writeConfig(apiRoot: string, more: { recipient?: string; bucket?: string } = {}): void {
  const encryption = more.recipient
    ? `encryption: { recipients: [${more.recipient}], identity: "\${AGE_IDENTITY}" }\n`
    : "";
  writeFileSync(
    join(folder, "vakhta.yaml"),
    `redis: { url: "\${REDIS_URL}" }
telegram:
  token: "\${BOT_TOKEN}"
  apiRoot: ${apiRoot}
  chats: { ops: { id: ${FORUM_ID}, topics: { alerts: ${ALERTS_TOPIC}, backups: ${BACKUPS_TOPIC} } } }
  users: [{ id: 111, name: alice, role: admin }]
worker: { host: here }
http: { token: "\${HTTP_TOKEN}" }
storages:
  local: { kind: local, path: "${folder}/copies" }
  elsewhere: { kind: local, path: /b, host: other }
  offsite: { kind: s3, endpoint: "${s3.endpoint}", region: us-east-1, bucket: ${more.bucket ?? s3.bucket}, accessKeyId: "\${S3_KEY}", secretAccessKey: "\${S3_SECRET}", forcePathStyle: true }
${encryption}backups:
  - { name: shop, source: { kind: postgres, url: "\${SHOP_URL}" } }
  - { name: far, source: { kind: postgres, url: "postgres://a@b/c" }, host: other }
`,
  );
}

const secrets = () => ({
  BOT_TOKEN: BOT.token,
  REDIS_URL: redis.url,
  S3_KEY: s3.accessKeyId,
  S3_SECRET: s3.secretAccessKey,
  SHOP_URL: databaseUrl,
  HTTP_TOKEN: "token-of-whoever-sends-alerts",
});

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

describe("vakhta doctor", () => {
  it("finds all well, one line per check", async () => {
    const sandbox = await testSandbox();
    const identity = await generateIdentity();
    writeConfig(sandbox.apiRoot, { recipient: await recipientOf(identity) });
    const { status, stdout, stderr } = await runCli(["doctor"], {
      cwd: folder,
      env: { ...secrets(), AGE_IDENTITY: identity },
    });
    expect(stderr).toBe("");
    expect(lines(stdout)).toEqual([
      "✓ configuration: vakhta.yaml is valid.",
      "✓ bot: @watch_bot (Watch).",
      "✓ updates: fetched by polling.",
      "✓ chat ops: can write to Ops forum and its 2 topics.",
      "✓ clock: right.",
      expect.stringMatching(/^✓ Redis: \d+\.\d+\.\d+\.$/),
      "✓ webhooks: let in with http.token.",
      expect.stringMatching(/^✓ source shop: PostgreSQL .*shop.*\.$/),
      "– source far: belongs to the host other; check it there.",
      expect.stringMatching(/^[✓!] storage local: .*copies/),
      "– storage elsewhere: belongs to the host other; check it there.",
      expect.stringMatching(/^✓ storage offsite: written, read and cleaned: s3:/),
      "✓ encryption: encrypted for 1 recipient and read back with the identity.",
      "– key for backups in local: there is no encrypted backup there yet to try it on.",
      "– key for backups in elsewhere: belongs to the host other; check it there.",
      "– key for backups in offsite: there is no encrypted backup there yet to try it on.",
      "All is well.",
    ]);
    expect(status).toBe(0);
    // Nobody in the chat saw a message.
    expect(sandbox.calls().filter((call) => call.method === "sendMessage")).toEqual([]);
  });

  it("tells each failure with its remedy, without secrets, and skips what has no secret here", async () => {
    const sandbox = await testSandbox();
    sandbox.changeTopic(FORUM_ID, BACKUPS_TOPIC, "deleted");
    await callApi(sandbox, "setWebhook", { url: "https://other.example.org/secret-path" });
    writeConfig(sandbox.apiRoot, { recipient: await recipientOf(await generateIdentity()), bucket: "nowhere" });
    const { SHOP_URL: _, ...rest } = secrets();
    const env = { ...rest, REDIS_URL: "redis://:redis-password@127.0.0.1:1", AGE_IDENTITY: await generateIdentity() };
    const { status, stdout } = await runCli(["doctor"], { cwd: folder, env });
    expect(status).toBe(1);
    const failed = lines(stdout).filter((line) => line.startsWith("✗"));
    expect(failed).toEqual([
      expect.stringMatching(/^✗ updates: a webhook to other\.example\.org is set.*deleteWebhook/),
      expect.stringMatching(/^✗ chat ops: cannot write to the topic backups: .*Correct its id/),
      expect.stringMatching(/^✗ Redis: cannot reach 127\.0\.0\.1:1: .*ECONNREFUSED.*redis\.url/),
      expect.stringMatching(/^✗ storage offsite: .*nowhere/),
      expect.stringMatching(/^✗ encryption: the identity cannot read/),
    ]);
    expect(stdout).toContain("– source shop: its secret is not set here; checked where it is.");
    expect(stdout).toContain("5 checks failed.");
    expect(stdout).not.toMatch(/redis-password|secret-path|AGE-SECRET/);
  });

  it("gives the same as JSON", async () => {
    const sandbox = await testSandbox();
    writeConfig(sandbox.apiRoot);
    const { status, stdout } = await runCli(["doctor", "--json"], { cwd: folder, env: { REDIS_URL: redis.url } });
    const report = JSON.parse(stdout);
    expect(report.ok).toBe(true);
    expect(status).toBe(0);
    expect(report.checks).toContainEqual({
      check: "telegram",
      status: "skipped",
      reason: "doctor-no-secret",
      message: expect.any(String),
    });
    expect(report.checks).toContainEqual({
      check: "redis",
      status: "ok",
      reason: "doctor-redis-ok",
      message: expect.any(String),
    });
    expect(report.checks).toContainEqual(
      expect.objectContaining({ check: "hooks", status: "skipped", reason: "doctor-no-secret" }),
    );
    writeFileSync(join(folder, "vakhta.yaml"), `redis: { url: "${redis.url}" }\nhooks: { alertmanager: {} }\n`);
    const closed = await runCli(["doctor", "--json"], { cwd: folder });
    expect(JSON.parse(closed.stdout).checks).toContainEqual(
      expect.objectContaining({ check: "hooks", status: "warning", reason: "doctor-hooks-closed" }),
    );
    writeFileSync(join(folder, "vakhta.yaml"), "locale: xx\n");
    const broken = await runCli(["doctor", "--json"], { cwd: folder });
    expect(broken.status).toBe(78);
    expect(JSON.parse(broken.stdout)).toMatchObject({ ok: false, checks: [{ check: "config", status: "failed" }] });
  });
});

describe("a check", () => {
  it("that hangs or throws does not keep the others from being told", async () => {
    const abort = new AbortController();
    const check = (run: DoctorCheck["run"]): DoctorCheck => ({ subject: "redis", run });
    const fine: Finding = { status: "ok", key: "doctor-clock-ok", args: {} };
    const found: string[] = [];
    for await (const result of runChecks(
      [
        check(() => Promise.resolve(fine)),
        check(() => Promise.reject(new Error("broken\nat line 1"))),
        check(() => new Promise(() => undefined)),
        check(() => Promise.resolve(fine)),
      ],
      abort.signal,
    )) {
      found.push(`${result.status} ${result.key}`);
      // The third hangs for ever: what ends it is the deadline or, here, Ctrl-C.
      if (found.length === 2) abort.abort();
    }
    expect(found).toEqual([
      "ok doctor-clock-ok",
      "failed doctor-failed",
      "failed doctor-timeout",
      "ok doctor-clock-ok",
    ]);
  });

  it("of Redis knows passwords, policies and persistence", async () => {
    await using evicting = await startRedis({ maxMemoryPolicy: "allkeys-lru", settings: { requirepass: "right" } });
    await using forgetful = await startRedis({ appendOnly: false });
    const at = (port: number, password: string) => probeRedis(`redis://:${password}@127.0.0.1:${port}`);
    expect(await at(evicting.port, "wrong")).toMatchObject({ key: "doctor-redis-password" });
    expect(await probeRedis(`redis://127.0.0.1:${evicting.port}`)).toMatchObject({ key: "doctor-redis-password" });
    expect(await at(evicting.port, "right")).toMatchObject({
      status: "failed",
      key: "doctor-redis-policy",
      args: { policy: "allkeys-lru" },
    });
    expect(await probeRedis(forgetful.url)).toMatchObject({ status: "warning", key: "doctor-redis-persistence" });
    // Something that is no Redis.
    expect(await probeRedis(`redis://127.0.0.1:${postgres.port}`)).toMatchObject({ status: "failed" });
  });

  it("of the webhook compares it with the configured one", async () => {
    const sandbox = await testSandbox();
    const base = { token: BOT.token, apiRoot: sandbox.apiRoot, chats: {}, users: [] };
    const webhook = { url: "https://ops.example.org/telegram", secretToken: "x" };
    const probe = () => probeUpdates({ ...base, mode: "webhook", webhook }, signal);
    expect(await probe()).toMatchObject({ key: "doctor-updates-webhook-unset" });
    await callApi(sandbox, "setWebhook", { url: "https://else.example.org/telegram" });
    expect(await probe()).toMatchObject({ key: "doctor-updates-webhook-other", args: { host: "else.example.org" } });
    await callApi(sandbox, "setWebhook", { url: webhook.url });
    expect(await probe()).toMatchObject({ status: "ok", key: "doctor-updates-webhook" });
  });

  it("of a chat sees that the bot was removed, and a wrong token", async () => {
    const sandbox = await testSandbox();
    const access = { token: BOT.token, apiRoot: sandbox.apiRoot };
    const chat = { id: SUPERGROUP_ID, topics: {} };
    expect(await probeChat(access, chat, signal)).toMatchObject({
      key: "doctor-chat-ok",
      args: { title: "Ops", topics: 0 },
    });
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "kicked");
    expect(await probeChat(access, chat, signal)).toMatchObject({ key: "doctor-chat-unreachable" });
    expect(await probeChat(access, { id: -5, topics: {} }, signal)).toMatchObject({ key: "doctor-chat-unreachable" });
    expect(await probeChat({ ...access, token: "1:x" }, chat, signal)).toMatchObject({ key: "doctor-telegram-token" });
    sandbox.addFault({ kind: "reset" });
    expect(await probeChat(access, chat, signal)).toMatchObject({ key: "doctor-telegram-unreachable" });
  });

  it("of the clock measures the difference", async () => {
    let offset = 0;
    const server = createServer((_, response) => {
      response.sendDate = false;
      if (!Number.isNaN(offset)) response.setHeader("date", new Date(Date.now() + offset).toUTCString());
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const probe = async (ms: number) => {
      offset = ms;
      const { status, key } = await probeClock(root, () => new Date(), signal);
      return `${status} ${key}`;
    };
    expect(await probe(0)).toBe("ok doctor-clock-ok");
    expect(await probe(20_000)).toBe("warning doctor-clock-skew");
    expect(await probe(-90_000)).toBe("failed doctor-clock-skew");
    expect(await probe(Number.NaN)).toBe("skipped doctor-clock-unknown");
    server.close();
    server.closeAllConnections();
    expect(await probe(0)).toBe("failed doctor-telegram-unreachable");
  });

  it("of encryption works without the identity, and with the right one only", async () => {
    const [mine, theirs] = await Promise.all([generateIdentity(), generateIdentity()]);
    const recipients = [await recipientOf(mine)];
    expect(await probeEncryption({ recipients })).toMatchObject({ status: "ok", key: "doctor-encryption-write-only" });
    expect(await probeEncryption({ recipients, identity: [theirs, mine] })).toMatchObject({
      status: "ok",
      key: "doctor-encryption-ok",
    });
    expect(await probeEncryption({ recipients, identity: [theirs] })).toMatchObject({
      key: "doctor-encryption-identity",
    });
  });

  it("of the key opens what really lies there, and notices a lost or wrong key and a damaged part", async () => {
    const [mine, theirs] = await Promise.all([generateIdentity(), generateIdentity()]);
    const config = storageSchema.parse({ kind: "local", path: join(folder, "store") });
    const look = (...identities: string[]) =>
      probeKey("local", config, identities, { logger: quiet, host: "here" }, signal);
    const storages = [storageOf("local", config)];
    const source = sourceOf({ kind: "command", argv: ["seq", "1", "9"], file: "numbers.txt" });
    const make = async (runId: string, startedAt: string, recipients: readonly string[]) => {
      const at = new Date(startedAt);
      const runs = { runId, startedAt: at, folder: runFolder("app", at, runId) };
      return (await runBackup(orderOf({ source, storages, recipients, ...runs }))).manifest;
    };
    expect(await look(mine)).toMatchObject({ status: "skipped", key: "doctor-key-none" });
    const old = await make("old", "2026-01-01T00:00:00Z", [await recipientOf(theirs)]);
    expect(await look(mine)).toMatchObject({ status: "failed", key: "doctor-key-locked" });
    const newest = await make("new", "2026-02-01T00:00:00Z", [await recipientOf(mine)]);
    // Not encrypted: it says nothing of the key.
    await make("plain", "2026-03-01T00:00:00Z", []);
    const backup = "app/20260201T000000Z-new";
    const oldest = "app/20260101T000000Z-old";
    expect(await look(theirs)).toMatchObject({ status: "failed", key: "doctor-key-locked", args: { backup } });
    // A key that came later: what was encrypted for the one before is not forgotten.
    expect(await look(mine)).toMatchObject({ status: "failed", key: "doctor-key-locked", args: { backup: oldest } });
    expect(await look(mine, theirs)).toEqual({ status: "ok", key: "doctor-key-ok-both", args: { backup, oldest } });
    rmSync(join(folder, "store", manifestFolder(old)), { recursive: true });
    expect(await look(mine)).toEqual({ status: "ok", key: "doctor-key-ok", args: { backup } });
    rmSync(join(folder, "store", manifestFolder(newest), newest.parts[0]?.file ?? ""));
    expect(await look(mine)).toMatchObject({ status: "failed", key: "doctor-key-unreadable" });
  });
});
