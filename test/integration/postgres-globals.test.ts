import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalsDigest } from "../../src/core/globals.ts";
import { applyGlobals, lookAtGlobals } from "../../src/sources/postgres/globals-diff.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";

let server: PostgresServer;
let made: MadeBackup;
const folder = temporaryFolder();
const options = { signal: new AbortController().signal, logger: quiet };

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop");
  await server.psql(
    "postgres",
    `CREATE ROLE admins CREATEDB; CREATE ROLE "We""ird; -- 'x' ROLE" LOGIN PASSWORD 'hunter2-hunter2' VALID UNTIL '2031-01-01 12:00+03' CONNECTION LIMIT 7;
     CREATE ROLE worker LOGIN PASSWORD 'worker-secret-1'; CREATE ROLE same LOGIN; CREATE ROLE plain;
     GRANT admins TO worker WITH ADMIN OPTION; GRANT admins TO "We""ird; -- 'x' ROLE"; GRANT plain TO same; GRANT pg_monitor TO worker;
     ALTER ROLE worker SET work_mem = '5MB'; ALTER ROLE worker SET search_path = 'a''b', c;
     COMMENT ON ROLE worker IS 'it''s; a worker'`,
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const config = (user?: string, password?: string) =>
  postgresSchema.parse({ kind: "postgres", url: server.url("shop", user, password) });
const lookAtAll = () => lookAtGlobals(config(), made.reader, options);
const look = async () => {
  const { system: _, server: __, own: ___, ...diff } = await lookAtAll();
  return diff;
};
const odd = `We"ird; -- 'x' ROLE`;

describe("the roles of a server", () => {
  it("are told with the server that they are of, and who asks", async () => {
    const { system, server: version, own } = await lookAtAll();
    expect(system).toBe(await server.psql("postgres", "SELECT system_identifier FROM pg_control_system()"));
    expect({ version, own }).toEqual({ version: expect.stringMatching(/^PostgreSQL \d+/), own: "postgres" });
  });

  it("are the backup's when nothing has changed", async () => {
    expect(await look()).toEqual({ missing: [], different: [], extra: [], passwordsCompared: true });
  });

  it("are told apart, without a password", async () => {
    await server.psql(
      "postgres",
      `DROP ROLE "We""ird; -- 'x' ROLE"; ALTER ROLE worker NOLOGIN PASSWORD 'another-secret'; ALTER ROLE worker SET work_mem = '6MB';
       ALTER ROLE worker RESET search_path; REVOKE admins, pg_monitor FROM worker; GRANT admins TO worker; CREATE ROLE newcomer; GRANT newcomer TO same;
       COMMENT ON ROLE worker IS NULL; DROP ROLE plain; SET timezone = 'Asia/Tokyo'`,
    );
    await server.psql("postgres", "ALTER DATABASE shop SET timezone = 'Asia/Tokyo'");
    const diff = await look();
    expect(diff).toEqual({
      missing: [
        {
          role: odd,
          has: [
            { what: "INHERIT", backup: "yes", live: "" },
            { what: "LOGIN", backup: "yes", live: "" },
            { what: "CONNECTION LIMIT", backup: "7", live: "" },
            { what: "PASSWORD", backup: "another", live: "" },
            { what: "VALID UNTIL", backup: "2031-01-01T09:00:00.000Z", live: "" },
            { what: "MEMBER OF admins", backup: "yes", live: "" },
          ],
        },
        { role: "plain", has: [{ what: "INHERIT", backup: "yes", live: "" }] },
      ],
      different: [
        {
          role: "same",
          changes: [
            { what: "MEMBER OF plain", backup: "yes", live: "" },
            { what: "MEMBER OF newcomer", backup: "", live: "yes" },
          ],
        },
        {
          role: "worker",
          changes: [
            { what: "LOGIN", backup: "yes", live: "no" },
            { what: "PASSWORD", backup: "another", live: "another" },
            { what: "COMMENT", backup: "'it''s; a worker'", live: "" },
            { what: "SET work_mem", backup: "'5MB'", live: "'6MB'" },
            { what: "SET search_path", backup: "'a''b', 'c'", live: "" },
            { what: "MEMBER OF admins", backup: "ADMIN", live: "yes" },
            { what: "MEMBER OF pg_monitor", backup: "yes", live: "" },
          ],
        },
      ],
      extra: ["newcomer"],
      passwordsCompared: true,
    });
    expect(JSON.stringify(diff)).not.toMatch(/hunter2|secret|SCRAM/);
  });

  it("are given what was asked for, and nothing else", async () => {
    expect(await applyGlobals(config(), made.reader, { ...options, roles: [odd] })).toEqual({
      made: [odd],
      altered: [],
    });
    expect((await look()).missing.map(({ role }) => role)).toEqual(["plain"]);
    expect((await look()).different.map(({ role }) => role)).toEqual(["same", "worker"]);
    expect(await applyGlobals(config(), made.reader, { ...options, roles: ["worker", "plain"] })).toEqual({
      made: ["plain"],
      altered: ["worker"],
    });
    expect(await look()).toEqual({
      missing: [],
      different: [{ role: "same", changes: [{ what: "MEMBER OF newcomer", backup: "", live: "yes" }] }],
      extra: ["newcomer"],
      passwordsCompared: true,
    });
    // In groups that PostgreSQL itself has, too.
    expect(await server.psql("postgres", "SELECT pg_has_role('worker', 'pg_monitor', 'MEMBER')")).toBe("t");
    // The password of the backup opens the door again.
    expect(await server.psql("postgres", "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'worker'")).toBe("t");
    expect((await lookAtGlobals(config("worker", "worker-secret-1"), made.reader, options)).passwordsCompared).toBe(
      false,
    );
  });

  it("are not given when they differ in another way than was agreed to", async () => {
    await server.psql("postgres", "DROP ROLE plain");
    const agreed = globalsDigest(await look());
    await server.psql("postgres", "ALTER ROLE worker CONNECTION LIMIT 3");
    const order = { ...options, roles: ["plain"], agreed };
    await expect(applyGlobals(config(), made.reader, order)).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-globals-changed" },
    });
    await server.psql("postgres", "ALTER ROLE worker CONNECTION LIMIT -1");
    expect(await applyGlobals(config(), made.reader, order)).toEqual({ made: ["plain"], altered: [] });
  });

  it("stay as they were when one of them can not be given", async () => {
    await server.psql("postgres", "DROP ROLE plain; ALTER ROLE worker NOCREATEROLE");
    await expect(
      applyGlobals(config("worker", "worker-secret-1"), made.reader, { ...options, roles: ["plain"] }),
    ).rejects.toMatchObject({ code: "source-failed" });
    await expect(applyGlobals(config(), made.reader, { ...options, roles: ["plain", "nobody"] })).rejects.toMatchObject(
      {
        code: "not-found",
      },
    );
    await expect(applyGlobals(config(), made.reader, { ...options, roles: ["postgres"] })).rejects.toMatchObject({
      code: "conflict",
    });
    expect((await look()).missing.map(({ role }) => role)).toEqual(["plain"]);
    const without = {
      ...made.reader,
      manifest: { ...made.manifest, parts: made.manifest.parts.filter(({ role }) => role !== "globals") },
    };
    await expect(lookAtGlobals(config(), without, options)).rejects.toMatchObject({ code: "not-found" });
  });
});
