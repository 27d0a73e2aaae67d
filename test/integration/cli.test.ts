// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the configuration's own variables.
import { execFile } from "node:child_process";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { type CliOptions, type CliResult, runCli, startCli } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type S3Server, startS3 } from "../support/s3.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** Has a process print the processor's time that it took, in milliseconds. */
function reportingTime(): { nodeArguments: string[]; milliseconds: (printed: string) => number } {
  const report =
    "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.error(user + system) })";
  return {
    nodeArguments: ["--import", `data:text/javascript,${encodeURIComponent(report)}`],
    milliseconds: (printed) => Number(printed) / 1000,
  };
}

async function processorTime(program: readonly string[], cwd: string): Promise<number> {
  const { nodeArguments, milliseconds } = reportingTime();
  const { stderr } = await promisify(execFile)(process.execPath, [...nodeArguments, ...program], { cwd });
  return milliseconds(stderr);
}

describe("vakhta", () => {
  it("lists its commands, quickly: nothing heavy is loaded for that", async () => {
    writeFileSync(join(folder, "nothing.ts"), "const nothing: number = 0;\nvoid nothing;\n");
    const { nodeArguments, milliseconds } = reportingTime();
    const nothing: number[] = [];
    const help: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      nothing.push(await processorTime(["nothing.ts"], folder));
      const { status, stdout, stderr } = await runCli(["--help"], { cwd: folder, nodeArguments });
      expect(status).toBe(0);
      for (const verb of ["init", "config", "doctor", "backup", "backups", "verify", "restore", "prune", "keygen"]) {
        expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, "m"));
      }
      expect(stdout).toMatch(/78 wrong configuration/);
      help.push(milliseconds(stderr));
    }
    // Against an empty program: how much the processor does in a millisecond depends on what else it does.
    const ratio = Math.min(...help) / Math.min(...nothing);
    expect(ratio, `${help.join(", ")} ms against ${nothing.join(", ")} ms`).toBeLessThan(2.6);
  });

  it("speaks Russian on a Russian terminal", async () => {
    const { stdout } = await runCli(["--help"], { cwd: folder, env: { LANG: "ru_RU.UTF-8" } });
    expect(stdout).toMatch(/^Использование: /);
    expect(stdout).toMatch(/^ {2}doctor .*опробовать всё/m);
  });

  it.each([
    [["bakcup"], "Did you mean backup?"],
    [["backup"], "missing required argument"],
    [["backups", "a", "b"], "too many arguments"],
    [["doctor", "--loud"], "unknown option"],
    [["explode", "x"], "unknown command"],
    [["verify"], "missing required argument"],
  ])("%j is a wrong usage", async (args, text) => {
    const { status, stdout, stderr } = await runCli(args, { cwd: folder });
    expect(status).toBe(2);
    expect(stderr).toContain(text);
    expect(stdout).toBe("");
  });

  it.each([[["config", "check"]], [["backups"]], [["backup", "app", "--here"]], [["doctor"]]])(
    "%j says in one line how to begin when there is no configuration",
    async (args) => {
      const { status, stderr } = await runCli(args, { cwd: folder });
      expect(status).toBe(78);
      expect(lines(stderr)).toEqual([expect.stringMatching(/vakhta\.yaml: .*npm run demo.*npm run vakhta -- init/)]);
    },
  );
});

describe("vakhta config check", () => {
  it("prints all problems, one a line, and no value", async () => {
    const yaml = 'timezone: Nowhere/Secret\nlogg: {}\nredis: { url: "${REDIS}" }\nhttp: { port: secret }\n';
    writeFileSync(join(folder, "vakhta.yaml"), yaml);
    const { status, stdout, stderr } = await runCli(["config", "check"], { cwd: folder });
    expect(status).toBe(78);
    expect(lines(stderr).slice(0, 7)).toEqual([
      ...["telegram", "storages", "backups"].map((name) => expect.stringMatching(`:1:1: ${name}: is missing`)),
      expect.stringMatching(/^vakhta\.yaml:1:11: timezone: expected an IANA time zone/),
      expect.stringMatching(/^vakhta\.yaml:2:1: logg: unknown key\. Known here: log\./),
      expect.stringMatching(
        /^vakhta\.yaml:3:15: redis\.url: the variable REDIS is not set\. Set REDIS or REDIS_FILE\.$/,
      ),
      expect.stringMatching(/^vakhta\.yaml:4:15: http\.port: expected a number\.$/),
    ]);
    expect(stdout + stderr).not.toContain("ecret");
  });

  it("says ok, names what there is, and notes what has no effect; in the file's language", async () => {
    const yaml = "locale: ru\nchecks: []\nstorages: { here: { kind: local, path: /b } }\n";
    writeFileSync(join(folder, "v.yaml"), yaml);
    const found = await runCli(["config", "check", "--file", "v.yaml"], { cwd: folder });
    // Everything is needed for this check: there is no bot and no backup here.
    expect(found.status).toBe(78);
    expect(found.stderr).toContain("v.yaml:1:1: telegram: раздел не задан");
    const whole = `${yaml}telegram: { token: "1:bot-token", chats: { ops: { id: 5 } }, users: [{ id: 1, name: alice, role: admin }] }
backups: [{ name: app, source: { kind: postgres, url: "postgres://u:hidden-password@h/d" } }]
heartbeats: [{ name: import, key: 0123456789abcdef, every: 1d }]\n`;
    writeFileSync(join(folder, "v.yaml"), whole);
    const { status, stdout, stderr } = await runCli(["-c", "v.yaml", "config", "check"], { cwd: folder });
    expect(lines(stderr)).toEqual(["v.yaml:2:1: checks: настройка известна, но в этой версии ещё не действует."]);
    expect(lines(stdout)).toEqual([
      "v.yaml: ошибок нет",
      "чаты: ops",
      "пользователи: alice",
      "хранилища: here",
      "резервные копии: app",
      "сигналы жизни: import",
    ]);
    expect(status).toBe(0);
  });
});

describe("vakhta keygen", () => {
  it("prints a key file that fits together, and advice beside it", async () => {
    const { status, stdout, stderr } = await runCli(["keygen"], { cwd: folder });
    expect(status).toBe(0);
    const [comment, identity = ""] = lines(stdout);
    expect(comment).toBe(`# public key: ${await recipientOf(identity)}`);
    expect(stderr).toContain("away from the servers");
  });
});

/** In this process: what starts and ends a process is tried above. */
async function runWith(args: readonly string[], { cwd, env = {} }: CliOptions): Promise<CliResult> {
  return await runHere([...args, "--config", join(cwd, "vakhta.yaml")], { env });
}

describe("backups without Redis and the bot", () => {
  let postgres: PostgresServer;
  let s3: S3Server;
  let url: string;

  beforeAll(async () => {
    [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
    url = await postgres.createDatabase("shop", "CREATE TABLE item AS SELECT generate_series(1, 5000) AS id");
  });

  afterAll(async () => {
    await Promise.allSettled([postgres?.stop(), s3?.stop()]);
  });

  function configure(more: { endpoint?: string; url?: string; extra?: string } = {}): {
    cwd: string;
    env: Record<string, string>;
  } {
    writeFileSync(
      join(folder, "vakhta.yaml"),
      `storages:
  local: { kind: local, path: "${folder}/copies" }
  offsite: { kind: s3, endpoint: "${more.endpoint ?? s3.endpoint}", region: us-east-1, bucket: ${s3.bucket}, prefix: "${folder.slice(-6)}", accessKeyId: "\${S3_KEY}", secretAccessKey: "\${S3_SECRET}", forcePathStyle: true }
backups:
  - { name: shop, source: { kind: postgres, url: "\${SHOP_URL}" } }
  - { name: gone, source: { kind: postgres, url: "\${GONE_URL}" } }
${more.extra ?? ""}`,
    );
    const env = {
      S3_KEY: s3.accessKeyId,
      S3_SECRET: s3.secretAccessKey,
      SHOP_URL: more.url ?? url,
      GONE_URL: "postgres://vakhta:hidden-password@127.0.0.1:1/gone",
    };
    return { cwd: folder, env };
  }

  it("are made into all storages, listed from there, and told as JSON", async () => {
    const options = configure();
    const made = await runWith(["backup", "shop", "--here"], options);
    expect(made.stderr).toMatch(
      /^looking at the source\n[\s\S]*dumping\ncompleting and reading back\nwriting the manifest\nnot done here: .*\n$/,
    );
    expect(made.stdout).toMatch(
      /^done: [0-9a-f]+, [\d.]+ kB in .*SHA-256 [0-9a-f]{12}\.\.\.\nlocal: .*\noffsite: s3:\/\//,
    );
    expect(made.status).toBe(0);

    const again = await runWith(["backup", "shop", "--here", "--json"], options);
    const result = JSON.parse(again.stdout);
    expect(result).toMatchObject({
      name: "shop",
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(result.copies).toMatchObject([
      { storage: "local", status: "stored" },
      { storage: "offsite", status: "stored" },
    ]);

    const listed = await runWith(["backups", "--json"], options);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      backups: [
        { id: result.id, name: "shop", bytes: result.bytes, encrypted: false, copies: ["local", "offsite"], flaws: {} },
        { name: "shop", copies: ["local", "offsite"], flaws: {} },
      ],
      problems: [],
    });
    const table = await runWith(["backups", "shop"], options);
    expect(lines(table.stdout)).toEqual([
      expect.stringMatching(/^ID +TIME +NAME +SIZE +PROOF +COPIES$/),
      expect.stringMatching(new RegExp(`^${result.id} .* shop +.*kB +– +local, offsite$`)),
      expect.stringMatching(/ shop +.*kB +– +local, offsite$/),
    ]);
    // One that lost a part is no good one, in both storages' eyes.
    const [part = ""] = globSync(`copies/shop/*-${result.id}/artifact*`, { cwd: folder });
    truncateSync(join(folder, part), 5);
    const broken = await runWith(["backups", "shop"], options);
    expect({ status: broken.status, second: lines(broken.stdout)[1] }).toEqual({
      status: 1,
      second: expect.stringMatching(/ – +local \(incomplete\), offsite$/),
    });
    const flawed = await runWith(["backups", "shop", "--json"], options);
    expect(JSON.parse(flawed.stdout)).toMatchObject({
      backups: [{ id: result.id, copies: ["local", "offsite"], flaws: { local: "incomplete" } }, { flaws: {} }],
      problems: [],
    });
    // A copy that lost its manifest is no copy.
    rmSync(join(folder, "copies"), { recursive: true });
    mkdirSync(join(folder, "copies"));
    const fewer = await runWith(["backups", "shop", "--json"], options);
    expect(JSON.parse(fewer.stdout)).toMatchObject({ backups: [{ copies: ["offsite"] }, { copies: ["offsite"] }] });
    const none = await runWith(["backups", "gone"], options);
    expect(none).toMatchObject({ status: 0, stdout: "", stderr: "there are no backups.\n" });
    const unknown = await runWith(["backups", "shup"], options);
    expect(unknown).toMatchObject({ status: 2, stderr: "there is no backup shup in these storages.\n" });
    const unmounted = await runWith(["backups", "--storage", `file://${folder}/unmounted`, "--json"], options);
    expect(unmounted).toMatchObject({ status: 1, stderr: expect.stringMatching(/^there is no folder .*unmounted/) });
    expect(JSON.parse(unmounted.stdout)).toMatchObject({ error: { code: "not-found" } });
  });

  it("have their programs run before and after, and say what is left to workers", async () => {
    const options = configure();
    const file = join(folder, "vakhta.yaml");
    const told = join(folder, "told");
    const hook = `[sh, -c, 'echo "$VAKHTA_BACKUP $VAKHTA_STATUS" >> ${told}']`;
    const hooks = `hooks: { before: [${hook}], after: [["false"], ${hook}] }`;
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/(name: \w+), source/g, `$1, ${hooks}, source`));
    const made = await runWith(["backup", "shop", "--here"], options);
    expect(made.status).toBe(0);
    expect(made.stderr).toMatch(/afterwards hook false failed: /);
    expect(made.stderr).toMatch(/not done here: old backups are not removed \(vakhta prune\)/);
    expect((await runWith(["backup", "gone", "--here"], options)).status).toBe(1);
    expect(lines(readFileSync(told, "utf8"))).toEqual([
      "shop running",
      "shop succeeded",
      "gone running",
      "gone failed",
    ]);
  });

  it("are encrypted when recipients are configured", async () => {
    const recipient = await recipientOf(await generateIdentity());
    const options = configure({ extra: `encryption: { recipients: [${recipient}], identity: "\${AGE_IDENTITY}" }\n` });
    expect(await runWith(["backup", "shop", "--here"], options)).toMatchObject({ status: 0 });
    const files = readdirSync(join(folder, "copies"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".zst"))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".zst.age")).length).toBeGreaterThan(0);
    const listed = await runWith(["backups", "--json"], options);
    expect(JSON.parse(listed.stdout)).toMatchObject({ backups: [{ encrypted: true }] });
  });

  it("are made as far as they can be: a copy that is missing is said and counts as a failure", async () => {
    const options = configure({ endpoint: "http://127.0.0.1:1" });
    const { status, stdout, stderr } = await runWith(["backup", "shop", "--here"], options);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^done: /);
    expect(stdout).toMatch(/^local: /m);
    expect(stderr).toMatch(/^no copy in offsite: /m);
    const listed = await runWith(["backups", "--json"], options);
    expect(listed.status).toBe(1);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      backups: [{ name: "shop", copies: ["local"] }],
      problems: [{ storage: "offsite", code: "storage-unreachable", message: expect.any(String) }],
    });
    expect(listed.stderr).toMatch(/^offsite: /);
  });

  it("fail with the reason, without secrets, and leave nothing", async () => {
    const options = configure();
    const { status, stdout, stderr } = await runWith(["backup", "gone", "--here"], options);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("127.0.0.1");
    expect(stderr).not.toContain("hidden-password");
    expect(JSON.parse((await runWith(["backups", "--json"], options)).stdout)).toEqual({ backups: [], problems: [] });
    const unknown = await runWith(["backup", "shup", "--here"], options);
    expect(unknown).toMatchObject({ status: 2, stderr: "there is no backup called shup. Known: shop, gone.\n" });
  });

  it("need their own secrets only", async () => {
    const { cwd, env } = configure();
    const { status, stderr } = await runWith(["backups"], { cwd, env: { S3_KEY: env["S3_KEY"] ?? "" } });
    expect(status).toBe(78);
    expect(lines(stderr)).toEqual([
      expect.stringContaining("storages.offsite.secretAccessKey: the variable S3_SECRET is not set"),
    ]);
  });

  describe("with a server that does not answer", () => {
    let silent: Server;
    beforeAll(async () => {
      silent = createServer((socket) => socket.on("error", () => undefined));
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    });
    afterAll(() => silent.close());

    it("are interrupted by Ctrl-C", async () => {
      const address = silent.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const connected = new Promise((resolve) => silent.once("connection", resolve));
      const options = configure({ url: `postgres://a:b@127.0.0.1:${port}/x` });
      await using running = startCli(["backup", "shop", "--here"], options);
      await Promise.race([connected, running.done]);
      running.kill("SIGINT");
      const { status, stderr } = await running.done;
      expect(stderr).toMatch(/interrupted\.\n$/);
      expect(status).toBe(130);
    });
  });
});
