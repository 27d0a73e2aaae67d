import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redact } from "../../src/lib/redaction.ts";
import { sourceSchema } from "../../src/sources/index.ts";
import { sourceOf, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, restoreTo } from "../support/postgres-restore.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();
const signal = new AbortController().signal;
const at = (name: string) => join(folder.path, name);

/** A key and a certificate, signed by our own authority or by itself. */
function certificate(name: string, subject: string, extra: readonly string[] = []): void {
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const files = ["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)];
  execFileSync("openssl", [...request, "-subj", `/CN=${subject}`, ...files, ...extra], { stdio: "pipe" });
  chmodSync(at(`${name}.key`), 0o600);
}

beforeAll(async () => {
  other = await startPostgres();
  chmodSync(folder.path, 0o711);
  const signed = ["-CA", at("ca.crt"), "-CAkey", at("ca.key")];
  certificate("ca", "our own authority");
  certificate("server", "db.internal", ["-addext", "subjectAltName=DNS:localhost", ...signed]);
  certificate("client", "certified", signed);
  certificate("stranger", "another authority");
  const { uid, gid } = statSync(other.folder);
  for (const file of ["server.key", "server.crt", "ca.crt"]) {
    if (file !== "ca.crt") chownSync(at(file), uid, gid);
    else chmodSync(at(file), 0o644);
  }
  server = await startPostgres({
    settings: { ssl: "on", ssl_cert_file: at("server.crt"), ssl_key_file: at("server.key"), ssl_ca_file: at("ca.crt") },
  });
  await server.createDatabase(
    "shop",
    "CREATE TABLE t AS SELECT 1 AS id; CREATE ROLE certified LOGIN; GRANT SELECT ON t TO certified",
  );
  const rules = join(server.folder, "data/pg_hba.conf");
  writeFileSync(
    rules,
    `hostssl shop certified 127.0.0.1/32 cert\nhostssl shop certified ::1/128 cert\n${readFileSync(rules, "utf8")}`,
  );
  await server.psql("postgres", "SELECT pg_reload_conf()");
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

/** The URL by the name that the certificate has, with these parameters. */
function tls(
  parameters: Readonly<Record<string, string>>,
  user = `postgres:${server.password}`,
  host = "localhost",
): string {
  const query = new URLSearchParams({ hostaddr: "127.0.0.1", ...parameters });
  return `postgresql://${user}@${host}:${server.port}/shop?${query.toString()}`;
}

describe("TLS", () => {
  it("verify-full works with an authority of one's own, for the backup and for the restore", async () => {
    const url = tls({ sslmode: "verify-full", sslrootcert: at("ca.crt") });
    const made = await backUp({ kind: "postgres", url }, folder.path, { runId: "tls" });
    expect(made.manifest.parts[0]?.tables).toEqual({ "public.t": 1 });
    expect(await restoreTo(made.reader, url.replace("/shop?", "/over_tls?"))).toMatchObject({
      differences: [],
      compared: { rows: 1 },
    });
  });

  it("a client's certificate is enough", async () => {
    const url = tls(
      { sslmode: "verify-full", sslrootcert: at("ca.crt"), sslcert: at("client.crt"), sslkey: at("client.key") },
      "certified",
    );
    const made = await backUp({ kind: "postgres", url, globals: false }, folder.path, { runId: "client" });
    expect(made.manifest.parts[0]?.tables).toEqual({ "public.t": 1 });
  });

  it.each([
    ["another authority", { sslmode: "verify-full", sslrootcert: "stranger.crt" }, "localhost"],
    ["another host", { sslmode: "verify-full", sslrootcert: "ca.crt" }, "db.example.org"],
  ])("refuses %s, for good, without its password", async (_what, parameters, host) => {
    const url = tls({ ...parameters, sslrootcert: at(parameters.sslrootcert) }, `postgres:${server.password}`, host);
    const failure: unknown = await sourceOf({ kind: "postgres", url })
      .inspect(signal)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "source-unreachable", permanent: true });
    expect(JSON.stringify(failure)).not.toContain(server.password);
  });

  it("an unencrypted server is refused where TLS is required", async () => {
    const url = `${other.url("postgres")}?sslmode=require`;
    await expect(sourceOf({ kind: "postgres", url }).inspect(signal)).rejects.toMatchObject({
      code: "source-unreachable",
      permanent: true,
    });
  });
});

describe("passwords", () => {
  const without = () => server.url("shop").replace(`:${server.password}@`, "@");

  it("come from a file, which is read for every run, and are kept out of texts from then on", async () => {
    const passwordFile = at("password");
    const source = sourceOf({ kind: "postgres", url: without(), passwordFile });
    await expect(source.inspect(signal)).rejects.toMatchObject({
      code: "secret-missing",
      message: expect.stringContaining("ENOENT"),
    });
    writeFileSync(passwordFile, "\n");
    await expect(source.inspect(signal)).rejects.toMatchObject({
      code: "secret-missing",
      message: expect.stringContaining("is empty"),
    });
    writeFileSync(passwordFile, "wrong-wrong-wrong\n");
    await expect(source.inspect(signal)).rejects.toMatchObject({ code: "source-refused" });
    writeFileSync(passwordFile, `${server.password}\n`);
    expect((await source.inspect(signal)).facts).toMatchObject({ database: "shop" });
    expect(redact("it is wrong-wrong-wrong")).toBe("it is [redacted]");
  });

  it("come from libpq's own file, named in the URL, by PGPASSFILE or in the home folder", async () => {
    const line = `127.0.0.1:${server.port}:*:postgres:${server.password}\n`;
    const path = at("my passwords");
    writeFileSync(path, line, { mode: 0o600 });
    const inspect = async (url: string) => (await sourceOf({ kind: "postgres", url }).inspect(signal)).facts.database;
    await expect(inspect(without())).rejects.toMatchObject({ code: "source-refused" });
    expect(await inspect(`${without()}?passfile=${encodeURIComponent(path)}`)).toBe("shop");
    const before = { ...process.env };
    try {
      process.env.PGPASSFILE = path;
      expect(await inspect(without())).toBe("shop");
      delete process.env.PGPASSFILE;
      const home = at("home");
      mkdirSync(home);
      writeFileSync(join(home, ".pgpass"), line, { mode: 0o600 });
      process.env.HOME = home;
      expect(await inspect(without())).toBe("shop");
    } finally {
      process.env = before;
    }
  });
});

describe("what is configured", () => {
  const base = { kind: "postgres", url: "postgresql://u@h/db" };
  it.each([
    [{ exclude: ["a"] }, "config-problem-postgres-exclude"],
    [{ databases: ["a"], exclude: ["b"] }, "config-problem-postgres-exclude"],
    [{ databases: ["a", "a"] }, "config-problem-postgres-twice"],
    [{ tables: { include: ["t"] }, schemas: { exclude: ["s"] } }, "config-problem-postgres-schemas"],
    [{ url: "postgresql://u:p@h/db", passwordFile: "/p" }, "config-problem-postgres-password"],
    [{ passwordFile: "p" }, "config-problem-absolute-path"],
  ])("%j is refused: %s", (more, key) => {
    const issues = sourceSchema.safeParse({ ...base, ...more }).error?.issues ?? [];
    expect(issues.map(({ message }) => message)).toEqual([key]);
  });

  it("all of it together is taken", () => {
    const config = {
      databases: "all",
      exclude: ["a"],
      schemas: { exclude: ["b"] },
      tables: { exclude: ["c"] },
      tableData: { exclude: ["d"] },
      largeObjects: false,
      passwordFile: "/p",
    };
    expect(sourceSchema.parse({ ...base, ...config })).toMatchObject(config);
  });
});
