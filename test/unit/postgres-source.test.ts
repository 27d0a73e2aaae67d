import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { sourceSchema } from "../../src/sources/index.ts";
import { takeSnapshot } from "../../src/sources/postgres/counts.ts";
import { askDatabase } from "../../src/sources/postgres/databases.ts";
import { sourceError } from "../../src/sources/postgres/errors.ts";
import { ask, unhurried } from "../../src/sources/postgres/session.ts";
import { chooseTools } from "../../src/sources/postgres/tools.ts";
import { parseUrl } from "../../src/sources/postgres/url.ts";
import { prepareVia } from "../../src/sources/via.ts";
import { bytesRead } from "../../src/sources/zstd.ts";
import { temporaryFolder } from "../support/backup.ts";

const signal = new AbortController().signal;

describe("parseUrl", () => {
  it.each([
    ["postgresql://u:p@h:5432/db", "postgresql://u@h:5432/db?a=1", "p", "db"],
    ["postgres://u:p%40%2Fx@h/db?sslmode=require", "postgresql://u@h/db?a=1&sslmode=require", "p@/x", "db"],
    ["postgresql://h1:1,h2:2/db?a=2", "postgresql://h1:1,h2:2/db?a=2", undefined, "db"],
    ["postgresql://u@/db?host=/run/pg&password=p%20w", "postgresql://u@/db?a=1&host=%2Frun%2Fpg", "p w", "db"],
    ["postgresql://[::1]:5432/", "postgresql://[::1]:5432/?a=1", undefined, undefined],
    ["postgresql:///?dbname=x&password=", "postgresql:///?a=1&dbname=x", undefined, "x"],
    ["postgresql://u:a:b@h/db", "postgresql://u@h/db?a=1", "a:b", "db"],
  ])("takes the password out of %s", (url, cleaned, password, database) => {
    const target = parseUrl(url);
    if ("problem" in target) throw new Error(target.problem);
    expect(target.url({ a: "1" })).toBe(cleaned);
    expect(target).toMatchObject({ password, database });
  });

  it.each([
    "mysql://u:hunter22@h/db",
    "u:hunter22@h/db",
    "postgresql://u:hunter@22@h/db",
    "postgresql://u:hunter/22@h/db",
    "postgresql://u:hunter?22@h/db",
    "postgresql://u:hunter%22%@h/db",
    "postgresql://h/db?sslpassword=hunter22",
  ])("refuses %s without repeating any of it", (url) => {
    const result = parseUrl(url);
    expect(result).toHaveProperty("problem");
    expect(JSON.stringify(result)).not.toContain("hunter");
    const issues = sourceSchema.safeParse({ kind: "postgres", url }).error?.issues;
    expect(issues).toHaveLength(1);
    expect(JSON.stringify(issues)).not.toContain("hunter");
  });
});

describe("prepareVia", () => {
  it("makes a container engine keep the input open and pass the password by its name", () => {
    expect(prepareVia(["docker", "exec", "db"], "PGPASSWORD")).toEqual([
      "docker",
      "exec",
      "-i",
      "-e",
      "PGPASSWORD",
      "db",
    ]);
    expect(prepareVia(["docker", "exec", "-i", "-e", "PGPASSWORD", "db"], "PGPASSWORD")).toEqual([
      "docker",
      "exec",
      "-i",
      "-e",
      "PGPASSWORD",
      "db",
    ]);
    expect(prepareVia(["/usr/bin/podman", "exec", "-i", "db"], undefined)).toEqual([
      "/usr/bin/podman",
      "exec",
      "-i",
      "db",
    ]);
    expect(prepareVia(["kubectl", "-n", "x", "exec", "db-0", "--"], undefined)).toEqual([
      "kubectl",
      "-n",
      "x",
      "exec",
      "-i",
      "db-0",
      "--",
    ]);
    expect(prepareVia(["env"], undefined)).toEqual(["env"]);
  });

  it("refuses a terminal, and a password that would not arrive", () => {
    for (const flag of ["-t", "-it", "--tty"]) {
      expect(() => prepareVia(["docker", "exec", flag, "db"], undefined)).toThrow(/leave out the terminal/);
    }
    expect(() => prepareVia(["kubectl", "exec", "-i", "db-0", "--"], "PGPASSWORD")).toThrow(
      /kubectl does not pass a password on/,
    );
  });
});

/** Folders as the client packages have them; the programs only tell their version. */
function packages(folder: string, versions: Readonly<Record<string, string>>): string {
  for (const [major, version] of Object.entries(versions)) {
    const bin = join(folder, major, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "pg_dump"), `#!/bin/sh\necho "pg_dump (PostgreSQL) ${version} (Debian)"\n`);
    chmodSync(join(bin, "pg_dump"), 0o755);
  }
  return folder;
}

describe("chooseTools", () => {
  it.each([
    [13, "13.9"],
    [14, "15.4"],
    [15, "15.4"],
    [16, "17.1"],
  ])("takes for a server of version %i pg_dump %s: the same major, else the next newer", async (server, version) => {
    using folder = temporaryFolder();
    const tools = await chooseTools(
      { packages: packages(folder.path, { 13: "13.9", 15: "15.4", 17: "17.1" }) },
      server,
      signal,
    );
    expect(tools.version).toBe(version);
    expect(tools.command("psql", ["-X"]).argv).toEqual([join(folder.path, version.slice(0, 2), "bin/psql"), "-X"]);
  });

  it("says what to install when all are older than the server", async () => {
    using folder = temporaryFolder();
    const attempt = chooseTools({ packages: packages(folder.path, { 13: "13.9" }) }, 99, signal);
    await expect(attempt).rejects.toMatchObject({ code: "tool-too-old", permanent: true });
    await expect(attempt).rejects.toThrow(
      /^server is 99, newest client here is \d+: apt-get install postgresql-client-99$/,
    );
  });

  it("compares also the version of a folder or a prefix that was configured", async () => {
    using folder = temporaryFolder();
    const bin = join(packages(folder.path, { 13: "13.9" }), "13/bin");
    await expect(chooseTools({ bin }, 14, signal)).rejects.toThrow(/server is 14, newest client here is 13/);
    expect((await chooseTools({ bin }, 13, signal)).version).toBe("13.9");
    const via = ["env", `PATH=${bin}`];
    const attempt = chooseTools({ via }, 14, signal);
    await expect(attempt).rejects.toThrow(
      /server is 14, newest client inside "env PATH=.*" is 13: use an image with version 14/,
    );
    const tools = await chooseTools({ via, password: "p" }, 13, signal);
    expect(tools.command("pg_dump", ["-x"])).toMatchObject({
      argv: [...via, "pg_dump", "-x"],
      via: true,
      env: { PGPASSWORD: "p" },
    });
  });
});

describe("the limit on statements of a role or a database", () => {
  it("is lifted before the first question", async () => {
    const sent: string[] = [];
    const query = async (sql: string) => {
      sent.push(sql);
      return ['"UTF8"', '"hstore 1.8"', '"plpgsql 1.0"'];
    };
    expect(await askDatabase({ query })).toEqual({ encoding: "UTF8", extensions: "hstore 1.8, plpgsql 1.0" });
    expect(sent[0]).toMatch(/^SET statement_timeout = 0;/);
    // What psql is given.
    const echo = () => ({ argv: ["cat"], step: "cat" });
    expect(await ask(echo, "postgresql://h/d", "SELECT 1", signal)).toEqual([
      String.raw`\set VERBOSITY terse`,
      ...`${unhurried};`.split("\n"),
      "SELECT 1;",
    ]);
  });
});

describe("takeSnapshot", () => {
  it("lifts every limit that would end the session, first of all, and newer ones only where the server knows them", async () => {
    const sent: string[] = [];
    const query = async (sql: string) => {
      sent.push(sql);
      return ["00000003-0000001B-1"];
    };
    expect((await takeSnapshot({ query }, 60_000)).id).toBe("00000003-0000001B-1");
    expect(sent[0]).toContain("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;");
    expect(sent[0]).toMatch(/>= 170000\s+THEN set_config\('transaction_timeout', '0', false\)/);
    expect(sent[1]).toMatch(/^\s*BEGIN/);
  });
});

describe("bytesRead", () => {
  it("reads zstd's summary", () => {
    expect(bytesRead("Note: 2\n/*stdin*\\            :100.00%   (3000000 B => 3000079 B, /*stdout*\\) ")).toBe(
      3_000_000,
    );
    expect(bytesRead("/*stdin*\\ :  2.40%   (  1063 MiB =>   25.6 MiB, /*stdout*\\)")).toBeUndefined();
  });
});

describe("sourceError", () => {
  const failed = (step: string, stderr: string) =>
    new AppError("tool-failed", `${step} failed`, {
      permanent: false,
      context: { step, exit: "exit status 1", stderr },
    });

  it.each([
    [
      "psql",
      'psql: error: connection to server at "10.0.0.1", port 5432 failed: Connection refused\n\tIs the server running?',
      "source-unreachable",
      false,
    ],
    [
      "psql",
      'psql: error: connection to server at "h", port 1 failed: FATAL:  password authentication failed for user "u"',
      "source-refused",
      true,
    ],
    [
      "psql",
      'psql: error: connection to server at "h", port 1 failed: FATAL:  database "x" does not exist',
      "source-refused",
      true,
    ],
    [
      "pg_dump",
      "pg_dump: error: query failed: ERROR:  permission denied for table t\npg_dump: detail: Query was: LOCK TABLE",
      "source-failed",
      true,
    ],
    [
      "pg_dump",
      "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.t",
      "source-failed",
      false,
    ],
    ["count", "psql:<stdin>:5: ERROR:  canceling statement due to lock timeout", "source-failed", false],
    ["zstd", "zstd: error 70 : Write error : cannot write block : No space left on device", "tool-failed", false],
  ])("understands %s: %s", (step, stderr, code, permanent) => {
    expect(sourceError(failed(step, stderr))).toMatchObject({
      code,
      permanent,
      context: { step, exit: "exit status 1", stderr },
    });
  });

  it("leaves the tool's own words to its standard error when a reader is told", () => {
    const refused =
      'psql: error: connection to server at "h" (::1), port 1 failed: FATAL:  no pg_hba.conf entry for host "::1"';
    const gone = 'psql: error: connection to server on socket "/run/x" failed: No such file or directory';
    const texts = [refused, gone].map((stderr) => {
      const { text } = sourceError(failed("psql", stderr));
      return messagesOf("ru").plain(text?.key ?? "", text?.args);
    });
    expect(texts).toEqual(["база данных отвечает, но не пускает", "база данных не отвечает"]);
  });

  it("says in one line what is wrong", () => {
    const stderr =
      'psql: error: connection to server at "h", port 1 failed: FATAL:  the database system is starting up';
    expect(sourceError(failed("psql", stderr)).message).toBe(
      'the database does not answer: connection to server at "h", port 1 failed: FATAL:  the database system is starting up',
    );
    expect(sourceError(failed("pg_dump", "pg_dump: error: something is wrong\npg_dump: hint: mend it")).message).toBe(
      "pg_dump failed: something is wrong",
    );
  });
});
