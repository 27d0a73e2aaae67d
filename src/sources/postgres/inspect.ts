import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { run } from "../../lib/process.ts";
import type { SourceInfo } from "../types.ts";
import type { Choice } from "./databases.ts";
import { sourceError } from "./errors.ts";
import type { PostgresConfig } from "./schema.ts";
import { psqlArgs, unhurried, withUtf8 } from "./session.ts";

const serverSchema = z.object({
  number: z.int(),
  version: z.string(),
  database: z.string(),
  oid: z.string(),
  bytes: z.int(),
  encoding: z.string(),
  rolePasswords: z.boolean(),
});

/** What a server says of itself and of one of its databases. */
export interface Server extends z.output<typeof serverSchema> {
  readonly major: number;
  readonly systemIdentifier: string | undefined;
}

// The system identifier is asked for apart: a server may refuse it, and naming the function in a query is enough to fail.
const question = `
${unhurried};
SELECT json_build_object(
  'number', current_setting('server_version_num')::int,
  'version', current_setting('server_version'),
  'database', current_database(),
  'oid', d.oid::text,
  'bytes', pg_database_size(d.oid),
  'encoding', pg_encoding_to_char(d.encoding),
  'rolePasswords', has_table_privilege('pg_catalog.pg_authid', 'select'))
FROM pg_database d WHERE d.datname = current_database();
SELECT has_function_privilege('pg_control_system()', 'execute') AS allowed \\gset
\\if :allowed
SELECT to_json(system_identifier::text) FROM pg_control_system();
\\endif
`;

/** Asks the server who it is. `psql` makes a command of arguments. Fails with `source-unreachable`, `source-refused` or `source-failed`. */
export async function askServer(
  psql: (args: readonly string[]) => Command,
  url: string,
  signal: AbortSignal,
): Promise<Server> {
  const { stdout } = await run(psql([...psqlArgs, "-d", withUtf8(url)]), {
    input: question,
    signal,
    timeoutMs: 30_000,
  }).catch((error: unknown) => {
    throw sourceError(error);
  });
  const [first = "", second] = stdout.trim().split("\n");
  const server = serverSchema.safeParse(parseJson(first));
  if (!server.success) {
    throw new AppError("source-failed", "the server's description of itself could not be read", {
      context: { step: "psql" },
      text: { key: "error-source-description" },
    });
  }
  return {
    ...server.data,
    major: Math.floor(server.data.number / 10_000),
    systemIdentifier: second === undefined ? undefined : z.string().parse(parseJson(second)),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the source says of itself: for the card and for the manifest. */
export function describe(
  server: Server,
  client: string,
  config: Pick<PostgresConfig, "globals" | "largeObjects">,
  several: Choice | undefined,
): SourceInfo {
  const version = server.version.split(" ", 1)[0] ?? "";
  const roles = server.rolePasswords ? "with role passwords" : "without role passwords (not allowed to read them)";
  const cluster = {
    server: server.version,
    pg_dump: client,
    ...(server.systemIdentifier === undefined ? {} : { systemIdentifier: server.systemIdentifier }),
    globals: config.globals ? roles : "off",
    ...(config.largeObjects ? {} : { largeObjects: "off" }),
  };
  if (several === undefined) {
    return {
      title: { key: "source-title-postgres", args: { version, database: server.database } },
      facts: { ...cluster, database: server.database, databaseOid: server.oid, encoding: server.encoding },
      expectedRawBytes: server.bytes,
    };
  }
  const { chosen } = several;
  return {
    title: { key: "source-title-postgres-several", args: { version, count: chosen.length } },
    facts: { ...cluster, databases: JSON.stringify(chosen.map(({ name }) => name)) },
    expectedRawBytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
