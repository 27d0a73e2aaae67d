import { vi } from "vitest";
import type { ReplacementIdentity, ReplacementJournal } from "../../src/core/replacement.ts";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import type {
  Beside,
  BesideOrder,
  ReplacementContext,
  ReplacementOrder,
  Replacer,
} from "../../src/sources/replacement.ts";
import { quiet } from "./backup.ts";
import type { PostgresServer } from "./postgres.ts";

/** A replacer of a database of this server, as the program would make it. */
export function replacerOf(url: string, order: Partial<ReplacementOrder> = {}, more: object = {}): Replacer {
  const replacer = kindOf("postgres").replacer?.(sourceSchema.parse({ kind: "postgres", url, ...more }), {
    id: "r1",
    logger: quiet,
    ...order,
  });
  if (replacer === undefined) throw new Error("this kind does not replace");
  return replacer;
}

/** The restore beside of one order, as the program would make it. */
export function besideOf(
  url: string,
  order: Partial<BesideOrder> & { readonly to: string },
  more: object = {},
): Beside {
  const beside = kindOf("postgres").beside?.(sourceSchema.parse({ kind: "postgres", url, ...more }), {
    id: "r1",
    logger: quiet,
    ...order,
  });
  if (beside === undefined) throw new Error("this kind does not restore beside");
  return beside;
}

/** The memory of one order: what is recorded stays, whichever object goes on with it. */
export class Memory {
  journal: ReplacementJournal | undefined;
  readonly steps: string[] = [];
  /** May throw, or do anything else, when a step is recorded. */
  onRecord?: (step: string) => void | Promise<void>;

  context(identity: ReplacementIdentity, more: Partial<ReplacementContext> = {}): ReplacementContext {
    return {
      identity,
      signal: new AbortController().signal,
      journal: this.journal,
      record: async (journal) => {
        this.journal = journal;
        this.steps.push(journal.step);
        await this.onRecord?.(journal.step);
      },
      ...more,
    };
  }
}

/** What is approved: the database as it is now. */
export async function identityOf(server: PostgresServer, database: string): Promise<ReplacementIdentity> {
  const name = database.replaceAll("'", "''");
  const [oid = "", system = ""] = (
    await server.psql(
      "postgres",
      `SELECT oid FROM pg_database WHERE datname = '${name}'; SELECT system_identifier FROM pg_control_system()`,
    )
  ).split("\n");
  return { database: oid, system };
}

/** Databases whose name begins so, with whether one can connect: "shop t, shop_before_r1 f". */
export async function databasesOf(server: PostgresServer, prefix: string): Promise<string> {
  const rows = await server.psql(
    "postgres",
    `SELECT datname, datallowconn FROM pg_database WHERE starts_with(datname, '${prefix}') ORDER BY 1`,
  );
  return rows.replaceAll("\n", ", ").replaceAll("|", " ");
}

/** A session that does not end when it is told to, until it is released. */
export async function stubbornSession(server: PostgresServer, database: string): Promise<{ release(): Promise<void> }> {
  const session = server.psql(database, "SET application_name = 'stubborn'; SELECT pg_sleep(600)").catch(() => "ended");
  const pid = await vi.waitFor(async () => {
    const found = await server.psql(
      "postgres",
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'stubborn' AND wait_event = 'PgSleep'",
    );
    if (found === "") throw new Error("not yet");
    return Number(found);
  }, 30_000);
  process.kill(pid, "SIGSTOP");
  return {
    release: async () => {
      process.kill(pid, "SIGCONT");
      await session;
    },
  };
}
