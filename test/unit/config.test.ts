// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the configuration's own variables.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allRequirements } from "../../src/app/config/resolve.ts";
import {
  ConfigError,
  checkConfig,
  configFile,
  environmentLocale,
  formatPath,
  formatProblem,
  loadConfig,
  type Requirement,
} from "../../src/app/config.ts";
import { redact } from "../../src/lib/redaction.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-config-"));
  file = join(folder, "vakhta.yaml");
});

afterEach(() => rmSync(folder, { recursive: true }));

type Env = Record<string, string | undefined>;

function check(yaml: string | Uint8Array, env: Env = {}, requires: readonly Requirement[] = []) {
  writeFileSync(file, yaml);
  return checkConfig({ path: file, env, requires });
}

/** Problems as "line:column path key", in order. */
function problems(yaml: string | Uint8Array, env?: Env, requires?: readonly Requirement[]): string[] {
  return check(yaml, env, requires).problems.map(
    ({ line, column, path, key }) => `${line ?? "-"}:${column ?? "-"} ${formatPath(path)} ${key}`,
  );
}

function config(yaml: string, env: Env = {}, requires: readonly Requirement[] = []) {
  writeFileSync(file, yaml);
  return loadConfig({ path: file, env, requires }).config;
}

const telegram = (extra = "") =>
  `telegram:\n  token: "\${BOT_TOKEN}"\n  users: [{ id: 1, name: a, role: admin }]\n${extra}`;
const local = "storages: { local: { kind: local, path: /b } }\n";
const source = 'source: { kind: postgres, url: "postgres://u:hunter22@h/d" }';

describe("the file", () => {
  it("says in one line how to begin when there is none", () => {
    const result = checkConfig({ path: join(folder, "no.yaml"), env: {} });
    expect(result.problems.map((problem) => problem.key)).toEqual(["config-no-file"]);
    const [problem] = result.problems;
    const line = problem && formatProblem(problem, result.file, result.messages);
    expect(line).toMatch(/no\.yaml: .*npm run demo.*npm run vakhta -- init/);
    expect(line).not.toContain("\n");
  });

  it("says what is wrong with one that cannot be read", () => {
    mkdirSync(join(folder, "d.yaml"));
    const keys = (path: string) => checkConfig({ path, env: {} }).problems.map((problem) => problem.key);
    expect(keys(join(folder, "d.yaml"))).toEqual(["config-is-directory"]);
    expect(keys(join(file, "below"))).toEqual(["config-no-file"]);
    expect(problems(new Uint8Array([0x61, 0x3a, 0xff, 0xfe]))).toEqual(["-:- " + " config-not-utf8"]);
  });

  it.each([
    ["", "-:-  config-empty"],
    ["# nothing\n", "-:-  config-empty"],
    ["- a\n", "-:-  config-not-mapping"],
    ["just text\n", "-:-  config-not-mapping"],
    ["locale: en\nlog: {}\nlocale: ru\n", "3:1  config-yaml-duplicate-key"],
    ["log:\n\tlevel: info\n", "2:1  config-yaml-tab"],
    ["log: { level: 'info }\n", "2:1  config-yaml-missing-char"],
    ["log: {}\n---\nlog: {}\n", "2:1  config-yaml-documents"],
    ["log: *nothing\n", "1:6  config-yaml-alias"],
  ])("%j: %s", (yaml, problem) => {
    expect(problems(yaml)[0]).toBe(problem);
  });

  it("takes a byte order mark, CRLF, anchors and merge keys", () => {
    const yaml = `\uFEFFlocale: ru\r\nlog: &x { level: warn }\r\nworker: { concurrency: 3 }\r\n`;
    expect(config(yaml)).toMatchObject({ locale: "ru", log: { level: "warn" }, worker: { concurrency: 3 } });
    expect(problems("locale: en\r\nlog:\r\n  level: loud\r\n")).toEqual(["3:10 log.level config-problem-one-of"]);
    const merged = `storages:\n  a: &a { kind: local, path: /a }\n  b: { <<: *a, path: /b }\n`;
    expect(config(merged).storages).toEqual({ a: { kind: "local", path: "/a" }, b: { kind: "local", path: "/b" } });
  });

  it("is found by option, variable or in the working directory", () => {
    expect(configFile("a", { VAKHTA_CONFIG: "b" })).toBe("a");
    expect(configFile(undefined, { VAKHTA_CONFIG: "b" })).toBe("b");
    expect(configFile(undefined, {})).toBe("vakhta.yaml");
  });
});

describe("defaults", () => {
  it("are filled in", () => {
    expect(config("log: {}\n")).toEqual({
      timezone: "UTC",
      locale: "en",
      redis: { url: "redis://127.0.0.1:6379/0", prefix: "vakhta" },
      http: { host: "127.0.0.1", port: 8080, workerPort: 8081, trustProxy: ["loopback"] },
      worker: { host: hostname(), concurrency: 2, lease: 30_000 },
      storages: {},
      backups: [],
      log: { level: "info" },
      approvals: {
        restore: { approvers: 1, role: "admin", requesterCounts: true, expires: 900_000, typed: "always" },
        reboot: { approvers: 1, role: "operator", requesterCounts: true, expires: 300_000, typed: "destructive" },
        databaseBackup: {
          approvers: 1,
          role: "operator",
          requesterCounts: true,
          expires: 900_000,
          typed: "destructive",
        },
        autoBackups: { approvers: 1, role: "admin", requesterCounts: true, expires: 900_000, typed: "destructive" },
      },
      alerts: {
        staleAfter: 86_400_000,
        reopenWithin: 1_800_000,
        flapping: { changes: 6, within: 1_200_000 },
        storm: { incidents: 20, within: 60_000 },
        resolved: { replyAfter: 600_000 },
        keep: 90 * 86_400_000,
        routes: [],
      },
      hooks: {},
      heartbeats: [],
      daily: { at: "09:00" },
      providers: {},
      servers: [],
      stats: { every: 300_000, keep: { raw: 7 * 86_400_000, hourly: 400 * 86_400_000 } },
      rules: [],
      recovery: { auto: "off", signs: 2, after: 300_000, every: 21_600_000, backWithin: 300_000 },
    });
  });

  it("of a heartbeat and of the own one", () => {
    const { heartbeats, heartbeat } = config(
      'heartbeats: [{ name: a, key: key-of-a, every: 1d }]\nheartbeat: { url: "https://hc.example.org/a" }\n',
    );
    const defaults = { grace: 300_000, severity: "critical", labels: {} };
    expect(heartbeats).toEqual([{ name: "a", key: "key-of-a", every: 86_400_000, ...defaults }]);
    expect(heartbeat).toEqual({ url: "https://hc.example.org/a", every: 60_000 });
  });

  it("of a backup follow from the rest", () => {
    const storages = "storages: { a: { kind: local, path: /a }, b: { kind: local, path: /b } }\n";
    const one = (extra: string, rest = "") =>
      config(`${storages}${rest}backups: [{ name: x, ${source}, ${extra} }]\n`).backups[0];
    expect(one("timeout: 1h30m")).toMatchObject({
      catchUp: true,
      encrypt: false,
      storages: ["a", "b"],
      timeout: 5_400_000,
    });
    expect(one("keep: { b: { last: 1 } }")).toMatchObject({ storages: ["b"] });
    expect(one("storages: [a]")).toMatchObject({ storages: ["a"] });
    const encryption = "encryption: { recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p] }\n";
    expect(one("catchUp: false", encryption)).toMatchObject({ encrypt: true, catchUp: false });
    expect(one("encrypt: false", encryption)).toMatchObject({ encrypt: false });
  });

  it("of the worker's host: the setting, WORKER_HOST, the host name", () => {
    expect(config("worker: { host: a }\n", { WORKER_HOST: "b" }).worker.host).toBe("a");
    expect(config("log: {}\n", { WORKER_HOST: "b" }).worker.host).toBe("b");
    expect(config("log: {}\n", { WORKER_HOST: "" }).worker.host).toBe(hostname());
  });
});

describe("variables", () => {
  it("are replaced inside any text, whatever they hold", () => {
    const nasty = `a: b # c "d" 'e'\n- {f}`;
    const yaml = `telegram: { token: "1:a", users: [{ id: 1, name: "\${WHO}", role: admin }] }\n`;
    expect(config(yaml, { WHO: nasty }).telegram?.users[0]?.name).toBe(nasty);
    expect(config("timezone: ${A}/${B:-Moscow}\n", { A: "Europe" }).timezone).toBe("Europe/Moscow");
  });

  it("are not replaced inside what they hold, and $${ stands for itself", () => {
    const yaml = `telegram: { token: "1:a", users: [{ id: 1, name: "$\${A} \${B}", role: admin }] }\n`;
    expect(config(yaml, { A: "no", B: "${A}" }).telegram?.users[0]?.name).toBe("${A} ${A}");
  });

  it("become numbers and booleans where these are expected", () => {
    const yaml = `http: { port: "\${PORT}", workerPort: '\${WP:-9091}' }\n${local}backups: [{ name: x, ${source}, catchUp: "\${CU}" }]\n`;
    const result = config(yaml, { PORT: "9090", CU: "false" });
    expect(result.http).toMatchObject({ port: 9090, workerPort: 9091 });
    expect(result.backups[0]?.catchUp).toBe(false);
    expect(problems('http: { port: "${PORT}" }\n', { PORT: "many" })).toEqual(["1:15 http.port config-problem-type"]);
    expect(problems('http: { port: "9${PORT}" }\n', { PORT: "1" })).toEqual(["1:15 http.port config-problem-type"]);
    expect(problems('http: { port: "90" }\n')).toEqual(["1:15 http.port config-problem-type"]);
  });

  it("count as not set when they are empty; an empty default leaves the setting out", () => {
    expect(problems('timezone: "${TZ}"\n', { TZ: "" })).toEqual(["1:11 timezone config-variable-unset"]);
    expect(config('timezone: "${TZ:-}"\n', { TZ: "" }).timezone).toBe("UTC");
    expect(config('http: { token: "${HTTP_TOKEN:-}" }\n').http).not.toHaveProperty("token");
  });

  it("are read from the file that NAME_FILE names, without its last newline", () => {
    writeFileSync(join(folder, "tz"), "Asia/Omsk\r\n");
    expect(config('timezone: "${TZ}"\n', { TZ_FILE: join(folder, "tz") }).timezone).toBe("Asia/Omsk");
    const unreadable = check('timezone: "${TZ}"\n', { TZ_FILE: join(folder, "none") });
    expect(unreadable.problems[0]).toMatchObject({
      key: "config-variable-unreadable",
      args: { name: "TZ", reason: "ENOENT" },
    });
    expect(problems('timezone: "${TZ}"\n', { TZ: "UTC", TZ_FILE: "x" })).toEqual([
      "1:11 timezone config-variable-both",
    ]);
  });

  it.each(['"${"', '"${A"', '"${A-b}"', '"${1A}"', '"${}"'])("refuse the form %s", (text) => {
    expect(problems(`timezone: ${text}\n`, { A: "UTC" })).toEqual(["1:11 timezone config-variable-syntax"]);
  });

  it("come from .env beside the file too; the environment wins", () => {
    writeFileSync(join(folder, ".env"), 'TZ="Asia/Omsk"\nLANGUAGE_OF_CARDS=ru\nLEVEL_FILE=/nowhere\n');
    const yaml = "timezone: ${TZ}\nlocale: ${LANGUAGE_OF_CARDS}\nlog: { level: '${LEVEL:-info}' }\n";
    expect(config(yaml, { LANGUAGE_OF_CARDS: "en", LEVEL: "warn" })).toMatchObject({
      timezone: "Asia/Omsk",
      locale: "en",
      log: { level: "warn" },
    });
  });
});

describe("secrets", () => {
  const yaml = `redis: { url: "\${REDIS_URL}" }
http: { token: "\${HTTP_TOKEN}" }
${telegram("  chats: { ops: { id: -5 } }")}
storages:
  offsite: { kind: s3, bucket: b, region: r, endpoint: "https://s3.example.org", accessKeyId: "\${K}", secretAccessKey: "\${S}" }
encryption: { recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p], identity: "\${AGE_IDENTITY}" }
backups: [{ name: app, source: { kind: postgres, url: "\${APP_URL}" }, chat: ops }]
heartbeat: { url: "\${HEARTBEAT_URL}" }
heartbeats: [{ name: import, key: "\${IMPORT_KEY}", every: 1d }]
hooks: { grafana: { secret: "\${GRAFANA_SECRET}" } }
`;

  it("are needed only by the process that uses them", () => {
    const missing = (requires: readonly Requirement[]) =>
      check(yaml, {}, requires).problems.map((problem) => problem.args["name"]);
    expect(missing([])).toEqual([]);
    expect(missing(["telegram"])).toEqual(["BOT_TOKEN", "HEARTBEAT_URL", "IMPORT_KEY", "GRAFANA_SECRET"]);
    expect(missing(["redis"])).toEqual(["REDIS_URL", "HTTP_TOKEN"]);
    expect(missing(["storages", "sources"])).toEqual(["K", "S", "APP_URL"]);
    expect(missing(["encryption-identity"])).toEqual(["AGE_IDENTITY"]);
  });

  it("are absent where they are not needed, and the rest is still there", () => {
    const result = config(yaml);
    expect(result.telegram).toMatchObject({ mode: "polling", chats: { ops: { id: -5, topics: {} } } });
    expect(result.telegram?.token).toBeUndefined();
    expect(result.http.token).toBeUndefined();
    expect(result.encryption).toMatchObject({ recipients: [expect.any(String)] });
    expect(result.encryption?.identity).toBeUndefined();
    expect(result.heartbeats).toEqual([
      { name: "import", every: 86_400_000, grace: 300_000, severity: "critical", labels: {} },
    ]);
    expect(result.heartbeat).toEqual({ every: 60_000 });
    expect(result.hooks).toEqual({ grafana: {} });
    expect(JSON.stringify(result)).not.toContain("missing");
  });

  it("leave the defaults of the settings beside them", () => {
    const place = `storages: { s: { kind: s3, endpoint: "\${ENDPOINT}", prefix: "\${PREFIX}", bucket: b, accessKeyId: "\${K}", secretAccessKey: x } }\n`;
    expect(config(place).storages["s"]).toEqual({
      kind: "s3",
      region: "us-east-1",
      bucket: "b",
      prefix: "",
      secretAccessKey: "x",
      forcePathStyle: false,
    });
  });

  it("do not hide the mistakes beside them", () => {
    expect(problems(yaml.replace("bucket: b", "buckt: b"))).toEqual([
      expect.stringContaining("storages.offsite.bucket config-problem-required"),
      expect.stringContaining("storages.offsite.buckt config-problem-unknown-key"),
    ]);
  });

  it("are redacted everywhere after loading, in every form; plain settings are not", () => {
    const env = {
      REDIS_URL: "redis://:p%40ss-word@127.0.0.1:6390/3",
      HTTP_TOKEN: "http-token-0123456789",
      BOT_TOKEN: "42:bot-token-in-the-environment",
      K: "access-key-id",
      S: "very/secret+key",
      APP_URL: "postgres://app:app-password@db.example.org/shop",
      HEARTBEAT_URL: "https://hc.example.org/ping/3f2c",
      IMPORT_KEY: "key-of-the-import",
      GRAFANA_SECRET: "grafana-signs-with-it",
    };
    const result = config(yaml.replace("region: r", 'region: "${REGION}"'), { ...env, REGION: "region-from-outside" });
    const text = redact(JSON.stringify({ ...result, more: ["p@ss-word", encodeURIComponent(env.S)] }));
    for (const secret of [
      "p%40ss-word",
      "p@ss-word",
      "http-token-0",
      "42:bot",
      "access-key",
      "secret+key",
      "app-password",
      "hc.example.org",
      "key-of-the-import",
      "grafana-signs",
    ]) {
      expect(text).not.toContain(secret);
    }
    for (const plain of ["127.0.0.1:6390", "db.example.org/shop", "region-from-outside", "https://s3.example.org"]) {
      expect(text).toContain(plain);
    }
    config('telegram: { token: "77:written-into-the-file", users: [{ id: 1, name: a, role: admin }] }\n');
    expect(redact("token 77:written-into-the-file")).toBe("token [redacted]");
    config(
      `heartbeat: { url: "https://hc.example.org/in-the-file" }
heartbeats: [{ name: a, key: heartbeat-key-in-the-file, every: 1d, labels: { key: label-called-key } }]
alerts: { routes: [{ match: { token: label-called-token, env: "\${WHERE}" } }] }
`,
      { WHERE: "value-of-a-label" },
    );
    expect(redact("https://hc.example.org/in-the-file heartbeat-key-in-the-file")).toBe("[redacted] [redacted]");
    const labels = "label-called-key label-called-token value-of-a-label";
    expect(redact(labels)).toBe(labels);
  });

  it("are redacted whole when one begins with another", () => {
    const users = "users: [{ id: 1, name: a, role: admin }]";
    config(`telegram: { token: "88:hunter", ${users} }\n`);
    config(`telegram: { token: "88:hunter2-production", ${users} }\n`);
    expect(redact("88:hunter2-production and 88:hunter")).toBe("[redacted] and [redacted]");
  });

  it("that are too short to be redacted are warned of, by name only", () => {
    const warnings = (env: Env) => {
      const { warnings: found, messages } = check(yaml, env);
      return found.map((warning) => formatProblem(warning, "f", messages));
    };
    const long = {
      APP_URL: "postgres://app:long-enough@db/shop",
      BOT_TOKEN: "1:bot-token",
      K: "access-key",
      S: "secret-key",
    };
    expect(warnings(long)).toEqual([]);
    expect(warnings({ ...long, S: "q7x9z", APP_URL: "postgres://app:w8v6@db/shop" })).toEqual([
      expect.stringMatching(/^f:\d+:\d+: storages\.offsite\.secretAccessKey: .*fewer than 6 characters(?!.*q7x9z)/),
      expect.stringMatching(/^f:\d+:\d+: backups\[0\]\.source\.url: .*fewer than 6 characters(?!.*w8v6)/),
    ]);
  });

  it("of encryption are what a file of age identities holds, each of them", () => {
    const first = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const second = "AGE-SECRET-KEY-1QQPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const AGE_IDENTITY_FILE = join(folder, "key.txt");
    const env = { AGE_IDENTITY_FILE };
    writeFileSync(AGE_IDENTITY_FILE, `# public key: age1\r\n${first}\r\n\n # of before\n ${first}\n`);
    expect(config(yaml, env, ["encryption-identity"]).encryption?.identity).toEqual([first, first]);
    expect(redact(`it is ${first}`)).toBe("it is [redacted]");
    for (const text of ["# only a comment\n", `${first}\n${second}\n`]) {
      writeFileSync(AGE_IDENTITY_FILE, text);
      const found = problems(yaml, env, ["encryption-identity"]);
      expect(found).toEqual(["9:103 encryption.identity config-problem-identity"]);
    }
  });

  it("are in no problem's text", () => {
    const env = { V: "s3cr3t-value" };
    const bad = `timezone: "\${V}"
locale: "\${V}"
redis: { url: "\${V}", prefix: "\${V} " }
http: { port: "\${V}", token: "s3cr3t-value" }
telegram: { token: "\${V}", apiRoot: "\${V}", mode: "\${V}", users: [{ id: "\${V}", name: a, role: "\${V}" }], chats: { ops: "\${V}" } }
storages: { x: { kind: "\${V}" }, y: "\${V}" }
encryption: { recipients: ["\${V}", "AGE-SECRET-KEY-1s3cr3t-value"], identity: "\${V}" }
backups: [{ name: "\${V} ", source: { kind: postgres, url: "\${V}" }, schedule: "\${V}", timeout: "\${V}", storages: ["\${V}"] }]
alerts: { staleAfter: "\${V}", resolved: { replyAfter: "\${V}" }, routes: [{ match: { severity: "\${V}", a: "/\${V}(/" }, chat: "\${V}", repeat: "\${V}", silent: "\${V}" }] }
heartbeats: [{ name: "\${V} ", key: "\${V}!", every: "\${V}", cron: "\${V}" }, { name: a, key: "\${V}!" }]
heartbeat: { url: "\${V}" }
daily: "\${V}"
hooks: { grafana: { secret: "\${V}" } }
`;
    const result = check(bad, env);
    const text = result.problems.map((problem) => formatProblem(problem, "f", result.messages)).join("\n");
    expect(result.problems.length).toBeGreaterThan(32);
    expect(text).not.toContain("s3cr3t-value");
    expect(check("a: s3cr3t-value: x\n b").problems.length).toBeGreaterThan(0);
    expect(() => config("a: 's3cr3t-value\n")).toThrow(/^(?!.*s3cr3t).*$/);
  });
});

describe("problems", () => {
  it("are all told at once, in the order of the file, with their places", () => {
    const yaml = `timezone: Mars/Olympus
loglevel: info
backups:
  - name: App
    source:
      kind: postgres
      url: postgres://h/d
    shedule: "0 3 * * *"
  - name: b
    source: { kind: mysql }
    schedule: 0 3 * *
    timeout: 5
`;
    expect(problems(yaml)).toEqual([
      "1:11 timezone config-problem-timezone",
      "2:1 loglevel config-problem-unknown-key",
      "4:5 backups[0].storages config-problem-nowhere",
      "4:11 backups[0].name config-problem-name",
      "8:5 backups[0].shedule config-problem-unknown-key",
      "9:5 backups[1].storages config-problem-nowhere",
      "10:21 backups[1].source.kind config-problem-one-of",
      "11:15 backups[1].schedule config-problem-cron",
      "12:14 backups[1].timeout config-problem-duration",
    ]);
  });

  it("within the parts and between them are told together", () => {
    const yaml = `telegram:
  token: no-token
  mode: webhook
  users: [{ id: 1, name: a, role: viewer }, { id: 1, name: b, role: viewer }]
  chats: { ops: { id: 1 }, dev: { id: 1, locale: fr } }
storages: { local: { kind: local, path: b } }
backups:
  - { name: x, ${source}, storages: [nope], timeout: "5", chat: opps }
  - { name: x, source: { kind: postgres, url: "mysql://h/d" }, encrypt: true }
`;
    expect(problems(yaml).map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "telegram.webhook config-problem-webhook-missing",
      "telegram.token config-problem-bot-token",
      "telegram.users config-problem-no-admin",
      "telegram.users[1].id config-problem-duplicate-user",
      "telegram.chats.dev.id config-problem-duplicate-chat",
      "telegram.chats.dev.locale config-problem-one-of",
      "storages.local.path config-problem-absolute-path",
      "backups[0].storages[0] config-problem-no-storage",
      "backups[0].timeout config-problem-duration",
      "backups[0].chat config-problem-no-chat",
      "backups[1].name config-problem-duplicate-name",
      "backups[1].source.url config-problem-postgres-url",
      "backups[1].encrypt config-problem-encrypt",
    ]);
  });

  it("say nothing of what cannot be read: it may be what is needed", () => {
    const yaml = `telegram:
  token: "1:a"
  mode: webhook
  webhook: { url: "http://a", secretToken: x }
  users: [{ id: 1, name: a, role: boss }]
  chats: [1]
storages: [1]
encryption: 5
backups: [{ name: x, ${source}, storages: [local], encrypt: true, chat: ops, topic: t }]
`;
    expect(problems(yaml).map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "telegram.webhook.url config-problem-webhook-url",
      "telegram.users[0].role config-problem-one-of",
      "telegram.chats config-problem-type",
      "storages config-problem-type",
      "encryption config-problem-type",
    ]);
  });

  it("are not storages in places of their own, however near to each other", () => {
    const s3 = "kind: s3, bucket: b";
    const near = [
      "a: { kind: local, path: /vk, host: db-1 }, b: { kind: local, path: /vk, host: db-2 }, c: { kind: local, path: /vk/c, host: db-1 }",
      `d: { ${s3} }, e: { ${s3}, prefix: p }, f: { ${s3}, prefix: p/q }, g: { ${s3}, endpoint: "https://s3.example.org:9000" }`,
      `h: { ${s3}, endpoint: "https://s3.example.org" }, i: { kind: s3, bucket: c, endpoint: "https://s3.example.org" }`,
    ];
    expect(check(`storages: { ${near.join(", ")} }\n`).problems).toEqual([]);
  });

  it("suggest the nearest known key", () => {
    const suggestion = (yaml: string) => check(yaml).problems[0]?.args["suggestion"];
    expect(suggestion("timezon: UTC\n")).toBe("timezone");
    expect(suggestion("storage: {}\n")).toBe("storages");
    expect(suggestion(`${telegram("  apiroot: x\n")}`)).toBe("apiRoot");
    expect(suggestion("log: { volume: 11 }\n")).toBe("level");
  });

  it("throw as one error with one line each", () => {
    writeFileSync(file, "timezone: x\nlocale: fr\n");
    const attempt = () => loadConfig({ path: file, env: { LANG: "ru_RU.UTF-8" }, requires: [] });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/^.*vakhta\.yaml:1:11: timezone: .*\n.*vakhta\.yaml:2:9: locale: [^\n]*$/);
    // The file names no language that exists: the terminal's is taken.
    expect(attempt).toThrow(/часовой пояс/);
  });

  it("show what is wrong with the condition of a rule, and where", () => {
    const rules = `rules:
  - { name: a, when: cpu > 90 and mem > 80 }
  - { name: b, when: cpu > 90, clear: cpu > 95 }
  - { name: c, when: "full_in(disk, 6h) < 24", for: 10m }
  - { name: d, when: "avg(cpu, 30m) > 90" }
stats: { every: 1h }
`;
    writeFileSync(file, rules);
    const attempt = () => loadConfig({ path: file, env: {}, requires: [] });
    const lines = [
      ":2:22: rules[0].when: there is no metric mem. Did you mean memory?",
      "    cpu > 90 and mem > 80",
      "                 ^",
      ":3:39: rules[1].clear: what fires could never clear: this holds only where `when` still holds, or nowhere.",
      "    cpu > 95",
      "    ^",
      ":4:22: rules[2].when: 24 has no unit. Expected a value such as 24h.",
      "    full_in(disk, 6h) < 24",
      "                        ^",
      ":5:22: rules[3].when: avg needs more readings: look back at least 60m, or poll more often (stats.every).",
      "    avg(cpu, 30m) > 90",
      "    ^",
    ];
    expect(attempt).toThrow(lines.map((line) => (line.startsWith(":") ? file + line : line)).join("\n"));
  });

  const users = (list: string) => `telegram: { token: "1:a", users: [${list}] }\n`;
  const admin = "{ id: 1, name: a, role: admin }";
  const backup = (extra: string, more = "") => `${local}backups:\n  - name: x\n    ${source}\n${extra}${more}`;
  const format = (text: string) => `hooks: { events: { formats: { ${text} } } }\n`;
  const beat = (name: string) => `name: ${name}, key: the-same-key`;
  it.each([
    [
      "more approvers than there are",
      `${users(`${admin}, { id: 2, name: b, role: operator }`)}approvals: { restore: { approvers: 2 } }\n`,
      "2:36 approvals.restore.approvers config-problem-approvers",
    ],
    [
      "nobody beside who asks",
      `${users(admin)}approvals: { reboot: { requesterCounts: false } }\n`,
      "approvals.reboot.approvers config-problem-approvers-others",
    ],
    [
      "a viewer who approves",
      `${users(admin)}approvals: { reboot: { role: viewer } }\n`,
      "2:30 approvals.reboot.role config-problem-one-of",
    ],
    ["no admin", users("{ id: 1, name: a, role: operator }"), "1:27 telegram.users config-problem-no-admin"],
    ["no users", 'telegram: { token: "1:a" }\n', "1:1 telegram.users config-problem-no-admin"],
    [
      "same user",
      users(`${admin}, { id: 1, name: b, role: viewer }`),
      "telegram.users[1].id config-problem-duplicate-user",
    ],
    [
      "same user name",
      users(`${admin}, { id: 2, name: A, role: viewer }`),
      "telegram.users[1].name config-problem-duplicate-name",
    ],
    [
      "anonymous admin",
      users(`${admin}, { id: 1087968824, name: b, role: admin }`),
      "telegram.users[1].id config-problem-nobody",
    ],
    ["webhook without address", telegram("  mode: webhook\n"), "telegram.webhook config-problem-webhook-missing"],
    [
      "webhook on a closed port",
      telegram("  webhook: { url: 'https://a:8080/t', secretToken: x }\n"),
      "telegram.webhook.url config-problem-webhook-url",
    ],
    [
      "same chat",
      telegram("  chats: { a: { id: 1 }, b: { id: 1 } }\n"),
      "telegram.chats.b.id config-problem-duplicate-chat",
    ],
    ["same port", "http: { port: 9, workerPort: 9 }\n", "http.workerPort config-problem-same-port"],
    ["storage's name", "storages: { Off-Site: { kind: local, path: /a } }\n", "storages.Off-Site config-problem-name"],
    [
      "same folder in two storages",
      "storages: { a: { kind: local, path: /tmp/vk, host: db-1 }, b: { kind: local, path: /tmp//x/../vk/ } }\n",
      "storages.b config-problem-same-place",
    ],
    [
      "same bucket and prefix in two storages",
      "storages: { a: { kind: s3, endpoint: https://s3.example.org, bucket: b, prefix: p }, b: { kind: s3, endpoint: https://S3.example.org:443/, bucket: b, prefix: p/ } }\n",
      "storages.b config-problem-same-place",
    ],
    ["no storage", `backups: [{ name: x, ${source} }]\n`, "backups[0].storages config-problem-nowhere"],
    ["unknown storage", backup("    storages: [local, ofsite]\n"), "backups[0].storages[1] config-problem-no-storage"],
    ["unknown storage kept", backup("    keep: { s3: { last: 1 } }\n"), "backups[0].keep.s3 config-problem-no-storage"],
    [
      "a local storage of another host",
      `storages: { local: { kind: local, path: /a, host: db-2 } }\nbackups: [{ name: x, ${source}, host: db-1 }]\n`,
      "backups[0].storages config-problem-other-host",
    ],
    [
      "local storages of two hosts",
      `storages: { a: { kind: local, path: /a, host: db-1 }, b: { kind: local, path: /b, host: db-2 } }\nbackups: [{ name: x, ${source}, storages: [a, b] }]\n`,
      "backups[0].storages[1] config-problem-other-host",
    ],
    ["same backup", backup("", `  - name: x\n    ${source}\n`), "backups[1].name config-problem-duplicate-name"],
    ["nothing to encrypt to", backup("    encrypt: true\n"), "backups[0].encrypt config-problem-encrypt"],
    [
      "unknown chat",
      backup("    chat: opps\n", telegram("  chats: { ops: { id: 1 } }\n")),
      "backups[0].chat config-problem-no-chat",
    ],
    [
      "unknown topic",
      backup("    topic: t\n", telegram("  chats: { ops: { id: 1 } }\n")),
      "backups[0].topic config-problem-no-topic",
    ],
    ["a day that never comes", backup("    schedule: 0 0 31 2 *\n"), "backups[0].schedule config-problem-cron"],
    ["cron with seconds", backup("    schedule: 0 0 3 * * *\n"), "backups[0].schedule config-problem-cron"],
    [
      "identity as recipient",
      "encryption: { recipients: [AGE-SECRET-KEY-1X] }\n",
      "encryption.recipients[0] config-problem-recipient-is-identity",
    ],
    [
      "cut recipient",
      "encryption: { recipients: [age1ql3z7hjy54pw3hyww5ay] }\n",
      "encryption.recipients[0] config-problem-recipient",
    ],
    ["relative path", "storages: { a: { kind: local, path: b } }\n", "storages.a.path config-problem-absolute-path"],
    [
      "a route to an unknown chat",
      `${telegram("  chats: { ops: { id: 1 } }\n")}alerts: { routes: [{ chat: opps }] }\n`,
      "alerts.routes[0].chat config-problem-no-chat",
    ],
    [
      "a route to an unknown topic of the first chat",
      `${telegram("  chats: { ops: { id: 1, topics: { alerts: 12 } } }\n")}alerts: { routes: [{ topic: alert }] }\n`,
      "alerts.routes[0].topic config-problem-no-topic",
    ],
    [
      "a daily card in an unknown topic",
      `${telegram("  chats: { ops: { id: 1 } }\n")}daily: { topic: t }\n`,
      "daily.topic config-problem-no-topic",
    ],
    ["a daily card at no time", 'daily: { at: "24:00" }\n', "daily.at config-problem-time"],
    ["a daily card with an unknown key", "daily: { time: '09:00' }\n", "1:10 daily.time config-problem-unknown-key"],
    ["a daily card that is on", "daily: on\n", "daily config-problem-other"],
    [
      "a severity that does not exist",
      "alerts: { routes: [{ match: { severity: [critical, high] } }] }\n",
      "alerts.routes[0].match.severity config-problem-one-of",
    ],
    ["a number as a label", "alerts: { routes: [{ match: { port: 1 } }] }\n", "match.port config-problem-match"],
    [
      "no regular expression",
      'alerts: { routes: [{ match: { a: [b, "/[/"] } }] }\n',
      "alerts.routes[0].match.a[1] config-problem-pattern",
    ],
    [
      "hours that are none",
      'alerts: { routes: [{ silent: "22-8" }] }\n',
      "alerts.routes[0].silent config-problem-span",
    ],
    ["a number for hours", "alerts: { routes: [{ silent: 22 }] }\n", "alerts.routes[0].silent config-problem-span"],
    [
      "a ring every few seconds",
      "alerts: { routes: [{ repeat: 59s }] }\n",
      "alerts.routes[0].repeat config-problem-duration-min",
    ],
    ["a long storm", "alerts: { storm: { within: 61m } }\n", "alerts.storm.within config-problem-duration-max"],
    ["no storm", "alerts: { storm: { incidents: 0 } }\n", "alerts.storm.incidents config-problem-min"],
    [
      "a reply after no time",
      "alerts: { resolved: { replyAfter: never } }\n",
      "alerts.resolved.replyAfter config-problem-duration-or-off",
    ],
    ["a duration without a unit", "alerts: { staleAfter: 24 }\n", "alerts.staleAfter config-problem-duration"],
    [
      "a heartbeat's key",
      "heartbeats: [{ name: a, key: a/b, every: 1d }]\n",
      "heartbeats[0].key config-problem-heartbeat-key",
    ],
    ["a heartbeat at no time", `heartbeats: [{ ${beat("a")} }]\n`, "heartbeats[0] config-problem-heartbeat-when"],
    [
      "a heartbeat at two times",
      `heartbeats: [{ ${beat("a")}, every: 1d, cron: 0 3 * * * }]\n`,
      "heartbeats[0] config-problem-heartbeat-when",
    ],
    [
      "a heartbeat every second",
      `heartbeats: [{ ${beat("a")}, every: 1s }]\n`,
      "heartbeats[0].every config-problem-duration-min",
    ],
    [
      "a grace that never ends",
      `heartbeats: [{ ${beat("a")}, every: 1d, grace: 5w }]\n`,
      "heartbeats[0].grace config-problem-duration-max",
    ],
    [
      "same heartbeat",
      `heartbeats: [{ ${beat("a")}, every: 1d }, { name: a, key: another-key, every: 1d }]\n`,
      "heartbeats[1].name config-problem-duplicate-name",
    ],
    [
      "same heartbeat's key",
      `heartbeats: [{ ${beat("a")}, every: 1d }, { ${beat("b")}, every: 1d }]\n`,
      "heartbeats[1].key config-problem-duplicate-key",
    ],
    [
      "a short secret of Grafana",
      "hooks: { grafana: { secret: short-secret } }\n",
      "hooks.grafana.secret config-problem-short",
    ],
    [
      "a header that is none",
      "hooks: { grafana: { secret: long-enough-secret, timestampHeader: X Time } }\n",
      "hooks.grafana.timestampHeader config-problem-header",
    ],
    ["a format without a title", format("a: {}"), "hooks.events.formats.a.title config-problem-texts"],
    ["a number as a title", format("a: { title: 5 }"), "hooks.events.formats.a.title config-problem-texts"],
    [
      "a format called like a source",
      format("watch: { title: x }"),
      "hooks.events.formats.watch config-problem-source-taken",
    ],
    ["a proxy that is none", "http: { trustProxy: [10.0.0.0/8, nginx] }\n", "http.trustProxy[1] config-problem-proxy"],
    ["a secret that Alertmanager has none of", "hooks: { alertmanager: { secret: x } }\n", "unknown-key-none"],
    ["the own heartbeat's address", "heartbeat: { url: hc.example.org }\n", "heartbeat.url config-problem-url"],
    ["offset as time zone", "timezone: '+03:00'\n", "timezone config-problem-timezone"],
  ])("%s", (_, yaml, problem) => {
    expect(problems(yaml, { BOT_TOKEN: "1:a" })).toEqual([expect.stringContaining(problem)]);
  });

  it("are none in a file for alerts alone, unless a process needs more", () => {
    const chat = "telegram: { token: '1:a', chats: { ops: { id: -1 } }, users: [{ id: 1, name: a, role: admin }] }\n";
    const alone = `${chat}storages: {}\nbackups: []\n`;
    expect(problems(alone, {}, undefined)).toEqual([]);
    expect(problems(alone, {}, ["storages"])).toEqual([expect.stringContaining("storages config-problem-section")]);
  });

  it("name the sections that this process needs", () => {
    expect(
      problems("log: {}\n", {}, ["telegram", "storages", "sources"]).map((line) => line.split(" ").slice(1).join(" ")),
    ).toEqual(["telegram config-problem-section", "storages config-problem-section", "backups config-problem-section"]);
  });
});

describe("alerts", () => {
  it("are read with durations in milliseconds and hours in minutes", () => {
    const yaml = `${telegram("  chats: { ops: { id: -5, topics: { alerts: 12 } } }\n")}alerts:
  staleAfter: 12h
  routes:
    - { match: { severity: critical, env: [prod, "/live-.*/"] }, chat: ops, topic: alerts, repeat: 4h }
    - { silent: "22:00-08:00" }
`;
    expect(config(yaml).alerts).toMatchObject({
      staleAfter: 43_200_000,
      routes: [
        {
          match: { severity: "critical", env: ["prod", "/live-.*/"] },
          chat: "ops",
          topic: "alerts",
          repeat: 14_400_000,
        },
        { match: {}, silent: { from: 22 * 60, to: 8 * 60 } },
      ],
    });
  });

  it("take off, as everybody writes it, for false", () => {
    for (const off of ["off", "false", "'off'"]) {
      const { daily, alerts } = config(`daily: ${off}\nalerts: { resolved: { replyAfter: ${off} } }\n`);
      expect({ daily, replyAfter: alerts.resolved.replyAfter }).toEqual({ daily: false, replyAfter: false });
    }
  });

  const routes = (...matches: readonly string[]) =>
    `alerts: { routes: [${matches.map((match) => `{ match: ${match} }`).join(", ")}] }\n`;
  const warned = (yaml: string) =>
    check(yaml).warnings.map(({ path, key, args }) => {
      const { earlier } = args;
      return [formatPath(path), key, ...(typeof earlier === "string" ? [earlier] : [])].join(" ");
    });

  it.each([
    ["after one for everything", ["{}", "{ severity: critical }"]],
    ["after the same", ["{ a: b, c: d }", "{ c: d, a: b }"]],
    ["after one with fewer conditions", ["{ a: b }", "{ a: b, c: d }"]],
    ["after one with more values", ["{ a: [b, c] }", "{ a: c }"]],
    ["after a pattern that takes it", ['{ a: "/b.*/" }', "{ a: bcd }"]],
  ])("warn of a route that is never reached: %s", (_, matches) => {
    expect(warned(routes(...matches))).toEqual(["alerts.routes[1] config-warning-unreachable-route alerts.routes[0]"]);
  });

  it.each([
    ["more conditions before", ["{ a: b, c: d }", "{ a: b }"]],
    ["other values", ["{ a: b }", "{ a: c }"]],
    ["more values", ["{ a: b }", "{ a: [b, c] }"]],
    ["a pattern after a value", ["{ a: b }", '{ a: "/b|c/" }']],
    ["a pattern that takes others", ['{ a: "/b/" }', "{ a: bc }"]],
    ["what cannot be read", ["5", "{ a: b }"]],
  ])("do not warn of one that can be reached: %s", (_, matches) => {
    expect(warned(routes(...matches))).toEqual([]);
  });

  it("warn of webhooks that nobody can use without a token", () => {
    const grafana = "hooks: { grafana: {}, alertmanager: {} }\n";
    const key = "config-warning-hooks-token";
    expect(warned(grafana)).toEqual([`hooks.grafana ${key}`, `hooks.alertmanager ${key}`]);
    expect(warned("hooks: {}\n")).toEqual([]);
    expect(warned('hooks: { grafana: { secret: "${SECRET}" } }\n')).toEqual([]);
    expect(warned(`${grafana}http: { token: "\${HTTP_TOKEN}" }\n`)).toEqual([]);
    expect(warned(`${grafana}http: { token: "\${HTTP_TOKEN:-}" }\n`)).toHaveLength(2);
    const formats = '{ a: { title: x }, b: { title: x, signature: { header: X-S, secret: "${SECRET}" } } }';
    expect(warned(`hooks: { events: { formats: ${formats} } }\n`)).toEqual([`hooks.events.formats.a ${key}`]);
  });
});

describe("approvals", () => {
  const team = (...roles: readonly string[]): string =>
    `telegram: { token: "1:a", users: [${roles.map((role, index) => `{ id: ${index + 1}, name: u${index}, role: ${role} }`).join(", ")}] }\n`;
  const ask = (roles: readonly string[], part: string): string[] =>
    problems(`${team(...roles)}approvals: { restore: { ${part} } }\n`);

  it.each([
    [["admin"], "approvers: 1"],
    [["admin", "admin"], "approvers: 2"],
    [["admin", "operator"], "approvers: 2, role: operator"],
    [["admin", "operator"], "requesterCounts: false"],
    [["admin", "admin"], "requesterCounts: false"],
  ])("of %j can be: %s", (roles, part) => {
    expect(ask(roles, part)).toEqual([]);
  });

  it.each([
    [["admin", "viewer"], "requesterCounts: false"],
    [["admin", "admin"], "approvers: 2, requesterCounts: false"],
    [["admin", "operator", "viewer"], "approvers: 3, role: operator"],
  ])("of %j can never be: %s", (roles, part) => {
    expect(ask(roles, part)).toHaveLength(1);
  });

  it("are not judged by a role that cannot be read", () => {
    expect(ask(["admin", "admni"], "approvers: 2").map((line) => line.split(" ")[1])).toEqual([
      "telegram.users[1].role",
    ]);
  });
});

describe("settings of later versions", () => {
  it("are accepted in full, together with all of this version", () => {
    const identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const env = {
      HTTP_TOKEN: "0123456789abcdef",
      BOT_TOKEN: "1:bot-token",
      S3_KEY: "access-key",
      S3_SECRET: "secret-key",
      AGE_IDENTITY: identity,
      IMPORT_KEY: "key-of-the-import",
      TIMEWEB_TOKEN: "token-of-timeweb",
      HEARTBEAT_URL: "https://hc.example.org/ping/3f2c",
    };
    const whole = readFileSync(join(import.meta.dirname, "whole-config.yaml"), "utf8");
    const result = check(whole, { ...env, APP_DATABASE_URL: "postgres://a@b/c" }, allRequirements);
    expect(result.problems).toEqual([]);
    expect(result.warnings.map(({ path }) => formatPath(path)).join(" ")).toBe("checks");
  });

  it("are accepted and noted", () => {
    const yaml = `${local}checks: [{ name: site, kind: http, target: "\${SITE}" }]
backups:
  - name: x
    ${source}
    keep: { local: { last: 1 } }
    verify: { schedule: "0 5 * * 0" }
    maxAge: 26h
`;
    const result = check(yaml);
    expect(result.problems).toEqual([]);
    expect(result.warnings.map(({ path, line }) => `${line} ${formatPath(path)}`)).toEqual(["2 checks"]);
    expect(Object.keys(result.config ?? {})).not.toContain("checks");
  });
});

describe("the terminal's language", () => {
  it.each([
    [{ LANG: "ru_RU.UTF-8" }, "ru"],
    [{ LANG: "en_US.UTF-8", LC_ALL: "ru" }, "ru"],
    [{ LANG: "ru_RU.UTF-8", LC_ALL: "C" }, "en"],
    [{ LANG: "rundi" }, "en"],
    [{}, "en"],
  ])("of %j is %s", (env, locale) => {
    expect(environmentLocale(env)).toBe(locale);
  });
});
