import { join } from "node:path";
import { inject } from "vitest";
import {
  type PostgresServer,
  type PostgresServerOptions,
  startPostgres as startFresh,
} from "../../src/sandbox/servers/postgres.ts";

export type { PostgresServer } from "../../src/sandbox/servers/postgres.ts";

let started = 0;

/** A private PostgreSQL; those of one test file are different systems, as everywhere, the first of each file are copies. */
export async function startPostgres(options: Omit<PostgresServerOptions, "major"> = {}): Promise<PostgresServer> {
  const { folder, password } = inject("postgresTemplates");
  const template = { folder: join(folder, String(started++)), password };
  return await startFresh({ superuserPassword: "md5", ...options, template });
}
