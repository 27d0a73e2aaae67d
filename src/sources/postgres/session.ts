import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { AppError } from "../../core/errors.ts";
import { type Command, type Conversation, converse } from "../../lib/process.ts";
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

  /** Ends the session. Does not throw for a session that failed before. */
  async close(): Promise<void> {
    this.#conversation.stdin.end();
    await this.#conversation.done.catch(() => undefined);
  }
}
