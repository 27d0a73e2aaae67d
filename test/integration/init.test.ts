import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { envLine, mergeEnv } from "../../src/cli/init/files.ts";
import { codeLifetimeMs, newCode, PairingListener, sameCode } from "../../src/cli/init/pairing.ts";
import { telegramApi } from "../../src/services/probes/telegram.ts";
import { type RunningCli, runCli, startCli } from "../support/cli.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import {
  ALICE,
  BACKUPS_TOPIC,
  BOB,
  BOT,
  callApi,
  EVE,
  FORUM_ID,
  SUPERGROUP_ID,
  testSandbox,
} from "../support/sandbox.ts";

let folder: string;
let redis: RedisServer;
let postgres: PostgresServer;
let s3: S3Server;
let databaseUrl: string;

beforeAll(async () => {
  [redis, postgres, s3] = await Promise.all([startRedis(), startPostgres(), startS3()]);
  databaseUrl = await postgres.createDatabase("shop", "CREATE TABLE item (id int)");
});

afterAll(async () => {
  await Promise.allSettled([redis?.stop(), postgres?.stop(), s3?.stop()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-init-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const startInit = (apiRoot: string, env: Record<string, string> = {}) =>
  startCli(["init", "--api-root", apiRoot], { cwd: folder, env: { TZ: "Asia/Omsk", ...env } });

/** Answers up to the first code, which it gives. */
async function toFirstCode(cli: RunningCli): Promise<string> {
  await cli.see(/Language \[en\]: /);
  cli.type("");
  await cli.see(/Time zone of schedules \[Asia\/Omsk\]: /);
  cli.type("");
  await cli.see(/Bot token: /);
  cli.type(BOT.token);
  await cli.see(/✓ @watch_bot \(Watch\)\./);
  const [, code = ""] = await cli.see(/t\.me\/watch_bot\?start=\S+ .*: \/start ([A-Z0-9]{10})\n/);
  await cli.see(/Waiting for the code \(good for 10 minutes\)/);
  return code;
}

describe("vakhta init", () => {
  it("goes from a token to a configuration that works, and only the code opens the door", async () => {
    const sandbox = await testSandbox();
    await using cli = startInit(sandbox.apiRoot);
    const code = await toFirstCode(cli);
    // A stranger guesses; somebody forwards; the code in a group does not make an admin.
    sandbox.sendAsUser(EVE.id, { from: EVE.id, text: "/start" });
    sandbox.sendAsUser(EVE.id, { from: EVE.id, text: "/start AAAAAAAAAA" });
    sandbox.sendAsUser(BOB.id, { from: BOB.id, text: `/start ${code}`, forwarded: true });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: `/start@watch_bot ${code}` });
    await cli.see(/! The code came from a group\./);
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: `/start ${code}` });
    await cli.see(/✓ Admin: Alice \(111\)\./);
    await sandbox.waitForMessage(ALICE.id, (message) => message.text?.startsWith("You are the admin") ?? false);

    await cli.see(/Where should alerts and the cards .*\[group\]: /);
    cli.type("");
    const [, second = ""] = await cli.see(/in the topic\): \/start@watch_bot ([A-Z0-9]{10})\n/);
    expect(second).not.toBe(code);
    await cli.see(/Waiting for the code/);
    sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: `/start@watch_bot ${code}`, message_thread_id: BACKUPS_TOPIC });
    sandbox.sendAsUser(FORUM_ID, {
      from: BOB.id,
      text: `/start@watch_bot ${second}`,
      message_thread_id: BACKUPS_TOPIC,
    });
    await cli.see(/! The code came from somebody else\./);
    sandbox.setMember(FORUM_ID, ALICE.id, "administrator");
    const place = { from: ALICE.id, message_thread_id: BACKUPS_TOPIC };
    sandbox.sendAsUser(FORUM_ID, { ...place, text: `/start@watch_bot ${second}`, anonymous: true });
    await cli.see(/! The code came from an anonymous admin .* Turn "Remain anonymous" off/);
    sandbox.sendAsUser(FORUM_ID, { ...place, text: `/start@watch_bot ${second}` });
    await cli.see(/✓ Group: Ops forum\./);
    const reply = await sandbox.waitForMessage(FORUM_ID, (message) => message.from?.is_bot ?? false);
    expect(reply).toMatchObject({ message_thread_id: BACKUPS_TOPIC, text: expect.stringContaining("reported here") });

    await cli.see(/Address of Redis \[.*\]: /);
    cli.type("redis://127.0.0.1:1/0");
    await cli.see(/✗ cannot reach 127\.0\.0\.1:1: .*ECONNREFUSED/);
    await cli.see(/Keep it all the same\? \(y\/n\) \[n\]: /);
    cli.type("", redis.url);
    await cli.see(/✓ \d+\.\d+/);
    await cli.see(/Address of the PostgreSQL database .*: /);
    cli.type("mysql://x", databaseUrl);
    await cli.see(/✗ /);
    await cli.see(/✓ PostgreSQL .*shop/);
    await cli.see(/Name of the backup \[shop\]: /);
    cli.type("No!", "");
    await cli.see(/When to back up.*\[0 3 \* \* \*\]: /);
    cli.type("every day", "");
    await cli.see(/✗ expected a cron expression/);
    await cli.see(/Where to keep the backups\? \[both\]: /);
    cli.type("", join(folder, "copies"));
    await cli.see(/✓ written, read and cleaned: .*copies/);
    cli.type(s3.endpoint, s3.region, s3.bucket, "", s3.accessKeyId, s3.secretAccessKey);
    await cli.see(/✓ written, read and cleaned: s3:\/\//);
    await cli.see(/Encrypt the backups\? \[new\]: /);
    cli.type("");
    const [, identity = ""] = await cli.see(/Your identity: (AGE-SECRET-KEY-1[A-Z0-9]+)/);
    cli.type("y");
    const { status, stdout, stderr } = await cli.done;
    expect(stderr).toBe("");
    expect(stdout).toMatch(/vakhta\.yaml: ok\n[\s\S]*backups: shop\nheartbeats: –\nStart it with "npm start"/);
    expect(status).toBe(0);

    const yaml = readFileSync(join(folder, "vakhta.yaml"), "utf8");
    const env = parseEnv(readFileSync(join(folder, ".env"), "utf8"));
    expect(env).toEqual({
      BOT_TOKEN: BOT.token,
      SHOP_DATABASE_URL: databaseUrl,
      S3_KEY: s3.accessKeyId,
      S3_SECRET: s3.secretAccessKey,
      AGE_IDENTITY: identity,
      HTTP_TOKEN: expect.stringMatching(/^[0-9a-f]{48}$/),
    });
    expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
    for (const secret of Object.values(env)) expect(yaml).not.toContain(secret === "sandbox" ? "Id: sandbox" : secret);
    expect(parse(yaml)).toMatchObject({
      timezone: "Asia/Omsk",
      locale: "en",
      telegram: {
        apiRoot: sandbox.apiRoot,
        chats: { ops: { id: FORUM_ID, topics: { backups: BACKUPS_TOPIC } } },
        users: [{ id: ALICE.id, name: "Alice", role: "admin" }],
      },
      redis: { url: `\${REDIS_URL:-${redis.url}}` },
      backups: [{ name: "shop", schedule: "0 3 * * *", chat: "ops", topic: "backups" }],
      http: { token: `\${HTTP_TOKEN}` },
      alerts: {
        routes: [
          { match: { severity: "critical" }, chat: "ops", topic: "backups", repeat: "4h" },
          { match: {}, chat: "ops", topic: "backups", silent: "22:00-08:00" },
        ],
      },
      daily: { at: "09:00", chat: "ops", topic: "backups" },
      drill: { schedule: "0 6 * * 1", chat: "ops", topic: "backups" },
    });
    // Strangers and wrong codes got silence; the bot will not see any of this again.
    const told = sandbox.calls().filter((call) => call.method === "sendMessage");
    expect(told.map((call) => call.params["chat_id"])).toEqual([ALICE.id, FORUM_ID]);
    expect(sandbox.pendingUpdates()).toBe(0);

    const doctor = await runCli(["doctor"], { cwd: folder });
    expect(doctor.stdout).not.toMatch(/^✗/m);
    expect(doctor.status).toBe(0);
    const backup = await runCli(["backup", "shop", "--here"], { cwd: folder });
    expect(backup).toMatchObject({ status: 0 });
  }, 180_000);

  it("asks again for a token that is unknown, has a webhook, or whose updates another program fetches", async () => {
    const sandbox = await testSandbox();
    await callApi(sandbox, "setWebhook", { url: "https://other.example.org/hook" });
    await using cli = startInit(sandbox.apiRoot);
    cli.type("en", "");
    await cli.see(/Bot token: /);
    cli.type("nonsense");
    await cli.see(/✗ this is no bot token/);
    cli.type("1:unknown");
    await cli.see(/✗ Telegram does not know this token/);
    cli.type(BOT.token);
    await cli.see(/✗ a webhook to other\.example\.org is set/);
    await callApi(sandbox, "deleteWebhook");
    // A rival that comes back whenever it is pushed out pushes our call out in turn, as on the real server.
    let rivalry = true;
    const rival = (async () => {
      while (rivalry) await callApi(sandbox, "getUpdates", { timeout: 1 });
    })();
    cli.type(BOT.token);
    await cli.see(/✗ another program fetches this bot's updates/);
    rivalry = false;
    await rival;
    cli.endInput();
    expect(await cli.done).toMatchObject({ status: 130, stderr: "interrupted.\n" });
    expect(existsSync(join(folder, "vakhta.yaml"))).toBe(false);
  });

  it("says when Telegram cannot be reached", async () => {
    await using cli = startInit("http://127.0.0.1:1");
    cli.type("ru", "", BOT.token);
    await cli.see(/✗ нет связи с 127\.0\.0\.1:1/);
    cli.endInput();
    expect(await cli.done).toMatchObject({ status: 130, stderr: "interrupted.\n" });
  });

  it("takes the private chat for the cards, keeps what does not work when told so, and never overwrites unasked", async () => {
    const sandbox = await testSandbox();
    writeFileSync(join(folder, ".env"), "OTHER='stays'\nBOT_TOKEN=old\nHTTP_TOKEN=known-to-alertmanager\n");
    await using cli = startInit(sandbox.apiRoot);
    const code = await toFirstCode(cli);
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: `/start ${code.toLowerCase()}` });
    await cli.see(/✓ Admin: Alice/);
    cli.type("private", "redis://:pass-word@127.0.0.1:1", "y", databaseUrl, "", "-", "local", `${folder}/it's`, "none");
    await cli.see(/other values of BOT_TOKEN\. Replace them\? \(y\/n\) \[n\]: /);
    cli.type("y");
    const { status, stdout } = await cli.done;
    expect(stdout).not.toContain("pass-word");
    expect(status).toBe(0);
    const yaml = readFileSync(join(folder, "vakhta.yaml"), "utf8");
    expect(parse(yaml)).toMatchObject({ telegram: { chats: { ops: { id: ALICE.id } } } });
    expect(yaml).not.toMatch(/schedule|encryption|topic|pass-word/);
    expect(parseEnv(readFileSync(join(folder, ".env"), "utf8"))).toMatchObject({
      OTHER: "stays",
      HTTP_TOKEN: "known-to-alertmanager",
      BOT_TOKEN: BOT.token,
      REDIS_URL: "redis://:pass-word@127.0.0.1:1",
    });

    await using again = startInit(sandbox.apiRoot);
    again.type("en");
    await again.see(/vakhta\.yaml is there already\. Write a new one\? \(y\/n\) \[n\]: /);
    again.type("");
    expect(await again.done).toMatchObject({ status: 1, stdout: expect.stringContaining("Nothing was written.") });
    expect(readFileSync(join(folder, "vakhta.yaml"), "utf8")).toBe(yaml);
  });
});

describe("a code", () => {
  it("is random, easy to type, and compared whole", () => {
    const codes = new Set(Array.from({ length: 500 }, newCode));
    expect(codes.size).toBe(500);
    for (const code of codes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{10}$/);
    expect(sameCode("abcdefghjk", "ABCDEFGHJK")).toBe(true);
    expect(sameCode("ABCDEFGHJ", "ABCDEFGHJK")).toBe(false);
    expect(sameCode("", "ABCDEFGHJK")).toBe(false);
  });

  it("is no longer good after ten minutes, even when it was on the way", async () => {
    const sandbox = await testSandbox();
    let now = Date.now();
    const api = telegramApi({ token: BOT.token, apiRoot: sandbox.apiRoot });
    const clock = { now: () => new Date(now) };
    const { signal } = new AbortController();
    const listener = new PairingListener({ api, apiRoot: sandbox.apiRoot, username: BOT.username, clock, signal });
    const expectation = { code: "ABCDEFGHJK", where: "private", onRefused: () => undefined } as const;
    const waiting = listener.wait(expectation);
    now += codeLifetimeMs + 1;
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start ABCDEFGHJK" });
    expect(await waiting).toBeUndefined();
    // The next code starts afresh, and outages of the server are waited out.
    sandbox.addFault({ kind: "status", status: 502, html: true, methods: ["getUpdates"], times: 1 });
    const next = listener.wait({ ...expectation, code: "KJHGFEDCBA" });
    sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start KJHGFEDCBA" });
    expect(await next).toMatchObject({ user: { id: ALICE.id, name: "Alice" } });
  });
});

describe("a line of .env", () => {
  it.each(["plain", "with space", "it's", 'a "quote"', "hash#", "back\\slash", "$HOME", "a=b", " edges ", ""])(
    "holds %j",
    (value) => {
      expect(parseEnv(envLine("X", value))["X"]).toBe(value);
    },
  );

  it("replaces its own name only", () => {
    expect(mergeEnv("# mine\nA=1\nexport B=2\nAB=3\n", { B: "9", C: "c d" })).toBe("# mine\nA=1\nAB=3\nB=9\nC='c d'\n");
  });
});
