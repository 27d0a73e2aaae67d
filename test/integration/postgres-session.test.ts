import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { PsqlSession, psqlArgs } from "../../src/sources/postgres/session.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

function sessionIn(database: string, { signal } = new AbortController()): PsqlSession {
  const argv = [`${server.programs}/psql`, ...psqlArgs, "-d", server.url(database)];
  const session = new PsqlSession({ argv }, signal);
  onTestFinished(() => session.close());
  return session;
}

/** What is fed to a session, as it is written. */
const script = () => new PassThrough();

it("runs what it is fed, and goes on", async () => {
  const session = sessionIn("postgres");
  const input = script();
  input.end("CREATE TEMPORARY TABLE t (n int);\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT 'goes nowhere';\n");
  await session.feed(input);
  expect(await session.query("SELECT count(*) FROM t")).toEqual(["2"]);
});

it.each(["COPY kept FROM stdin;\n1\n", "INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2"])(
  "fails as what it is fed does, and changes nothing: %j",
  async (beginning) => {
    const database = `cut${beginning.length}`;
    await server.createDatabase(database, "CREATE TABLE kept (n int)");
    const session = sessionIn(database);
    await session.query("BEGIN");
    const input = script();
    const feeding = session.feed(input);
    input.write(beginning);
    const damaged = new AppError("storage-mismatch", "damaged");
    input.destroy(damaged);
    await expect(feeding).rejects.toBe(damaged);
    expect(await server.psql(database, "SELECT count(*) FROM kept")).toBe("0");
  },
);

it("fails with what psql says where the fault is there", async () => {
  const session = sessionIn("postgres");
  const input = script();
  const feeding = session.feed(input);
  input.write("SELECT nothing_of_the_kind;\n");
  await expect(feeding).rejects.toMatchObject({
    code: "source-failed",
    message: expect.stringContaining("nothing_of_the_kind"),
  });
});

it("fails with the reason when it is called off, whatever its input does then", async () => {
  const stop = new AbortController();
  const session = sessionIn("postgres", stop);
  const input = script();
  const feeding = session.feed(input);
  input.write("SELECT 1;\n");
  stop.abort(new Error("stop now"));
  input.destroy(new Error("nobody reads on"));
  await expect(feeding).rejects.toThrow("stop now");
});
