import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, toAppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { type Conversation, converse, run } from "../../lib/process.ts";
import { sourceError } from "./errors.ts";

export const psqlArgs = ["-X", "-q", "-A", "-t", "--no-password", "-v", "ON_ERROR_STOP=1", "-f", "-"] as const;

/**
 * A database session held by a psql process, so that libpq's own rules for TLS, services and passwords hold, here and
 * inside a container alike. Queries run one after another; each row must be one line (JSON).
 */
export class PsqlSession {
  readonly #conversation: Conversation;
  readonly #lines: AsyncIterator<string>;

  constructor(command: Command, signal: AbortSignal) {
    this.#conversation = converse(command, { signal });
    this.#lines = createInterface({ input: this.#conversation.stdout })[Symbol.asyncIterator]();
  }

  /** Rows of all statements, a line each. Fails with `source-unreachable`, `source-refused` or `source-failed`. */
  async query(sql: string): Promise<string[]> {
    const marker = `end-${randomBytes(8).toString("hex")}`;
    this.#conversation.stdin.write(`${sql};\nSELECT '${marker}';\n`);
    const rows: string[] = [];
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) {
        await this.#conversation.done.catch((error: unknown) => {
          throw sourceError(error);
        });
        throw new AppError("source-failed", "psql ended before it answered", {
          permanent: false,
          context: { step: "psql" },
          text: { key: "error-source-ended" },
        });
      }
      if (line.value === marker) return rows;
      rows.push(line.value);
    }
  }

  /**
   * Runs what another program writes, pg_dump for one; what it answers goes nowhere. Nothing but a rollback is sensible
   * after a failure: half a COPY may be open. Fails as `query` does, or as the input.
   */
  async feed(input: Readable): Promise<void> {
    const { stdin, done } = this.#conversation;
    stdin.write("\\o /dev/null\n");
    try {
      await pipeline(input, stdin, { end: false });
    } catch (error) {
      // Closed already where it was psql that has ended: it knows best why. Else psql waits for the rest of the input, and
      // what it says of one that is cut off is no cause.
      const hasEnded = stdin.destroyed;
      stdin.destroy();
      await done.catch((cause: unknown) => {
        if (hasEnded || toAppError(cause).code !== "tool-failed") throw sourceError(cause);
      });
      throw error;
    }
    stdin.write("\\o\n");
  }

  /** Ends the session. Does not throw for a session that failed before. */
  async close(): Promise<void> {
    this.#conversation.stdin.end();
    await this.#conversation.done.catch(() => undefined);
  }
}

/**
 * Lifts the limits on statements, since PostgreSQL 14 on pauses between them, and since 17 on whole transactions, that a role
 * or a database may have for its sessions: this program has its own, and may read an archive between two questions.
 */
export const unhurried = `SET statement_timeout = 0;
DO $$ BEGIN
IF current_setting('idle_session_timeout', true) IS NOT NULL THEN PERFORM set_config('idle_session_timeout', '0', false); END IF;
IF current_setting('transaction_timeout', true) IS NOT NULL THEN PERFORM set_config('transaction_timeout', '0', false); END IF;
END $$`;

/** Makes a command of arguments for psql. */
export type PsqlCommand = (args: readonly string[]) => Command;

/**
 * Runs SQL in a session of its own, `timeoutMs` at most (default 60,000); each row must be one line (JSON), in UTF-8.
 * Fails as a session does, and shows no line of the SQL in its error: there may be a role's password in it.
 */
export async function ask(
  psql: PsqlCommand,
  url: string,
  sql: string,
  signal: AbortSignal,
  timeoutMs = 60_000,
): Promise<string[]> {
  const input = `\\set VERBOSITY terse\n${unhurried};\n${sql};\n`;
  const command = psql([...psqlArgs, "-d", withUtf8(url)]);
  const { stdout } = await run(command, { input, signal, timeoutMs, maxOutput: 64 * 1024 * 1024 }).catch(
    (error: unknown) => {
      throw sourceError(error);
    },
  );
  return stdout.split("\n").filter((line) => line !== "");
}

/** Names come back in UTF-8, whatever the database's encoding is, and whatever it or the role has for its sessions. */
export function withUtf8(url: string): string {
  return withEncoding(url, "UTF8");
}

/**
 * The URL of sessions with this client encoding. Dumps are in the database's own: what it or the role has for its sessions
 * may lack letters that are in it, or not even fit it.
 */
export function withEncoding(url: string, encoding: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}client_encoding=${encodeURIComponent(encoding)}`;
}
