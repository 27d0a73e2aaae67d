import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { bytesWritten, type Command, type Pipeline, run, startPipeline } from "../../lib/process.ts";
import type { PartFacts, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { bytesRead, zstdCommand } from "../zstd.ts";
import { type Snapshot, takeSnapshot } from "./counts.ts";
import { sourceError } from "./errors.ts";
import type { PostgresConfig } from "./schema.ts";
import { PsqlSession, psqlArgs } from "./session.ts";
import type { Tools } from "./tools.ts";

export interface DumpPlan {
  readonly config: PostgresConfig;
  readonly tools: Tools;
  /** Without the password. */
  readonly url: string;
  readonly database: string;
  /** The `application_name` of this run's sessions. */
  readonly application: string;
  readonly info: SourceInfo;
  readonly rolePasswords: boolean;
  readonly logger: Logger;
}

/** A dump and the cluster's globals, each piped from its tool through zstd. */
export class PostgresSession implements SourceSession {
  readonly info: SourceInfo;
  readonly #plan: DumpPlan;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pipelines: Pipeline[] = [];
  #session: PsqlSession | undefined;
  #unfinished = 0;

  constructor(plan: DumpPlan, signal: AbortSignal) {
    this.info = plan.info;
    this.#plan = plan;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { config, tools, url, database } = this.#plan;
    let snapshot: Snapshot | undefined;
    if (config.counts === "exact") {
      this.#session = new PsqlSession(tools.command("psql", [...psqlArgs, "-d", withUtf8(url)], "count"), this.#signal);
      snapshot = await takeSnapshot(this.#session, config.lockWait);
    }
    const dump = tools.command("pg_dump", [
      "--format=custom",
      "--compress=0",
      "--no-password",
      `--lock-wait-timeout=${config.lockWait}`,
      ...(snapshot === undefined ? [] : [`--snapshot=${snapshot.id}`]),
      `--dbname=${url}`,
    ]);
    const artifact = this.#part("artifact", "artifact.dump.zst", dump, snapshot, database);
    let globals: SourcePart | undefined;
    if (config.globals) {
      const args = ["--globals-only", "--no-password", `--database=${database}`, `--dbname=${url}`];
      if (!this.#plan.rolePasswords) args.push("--no-role-passwords");
      // Beside the dump: small enough to wait in the pipe, and a failure ends the run now instead of after the dump.
      globals = this.#part("globals", "globals.sql.zst", tools.command("pg_dumpall", args));
    }
    yield artifact;
    if (globals !== undefined) yield globals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const interrupted = this.#unfinished > 0;
    this.#stop.abort(new AppError("interrupted", "the dump was ended", { permanent: false }));
    for (const pipeline of this.#pipelines) pipeline.stdout.destroy();
    await Promise.allSettled(this.#pipelines.map((pipeline) => pipeline.done));
    await this.#session?.close();
    // The container engine's client has ended; what it started inside the container has not.
    if (interrupted && this.#plan.config.via) await this.#terminateSessions();
  }

  #part(role: string, file: string, command: Command, snapshot?: Snapshot, database?: string): SourcePart {
    const pipeline = startPipeline([command, zstdCommand(this.#plan.config.level)], { signal: this.#signal });
    this.#pipelines.push(pipeline);
    this.#unfinished += 1;
    const counting = snapshot?.count();
    // A count that fails makes the dump useless: ended at once, with the count's error as the cause.
    counting?.catch((error: unknown) => this.#stop.abort(error));
    const done = this.#finish(pipeline, counting, database);
    done.catch(() => undefined);
    const [pid] = pipeline.pids;
    return {
      role,
      file,
      stream: pipeline.stdout,
      rawBytes: () => (pid === undefined ? undefined : bytesWritten(pid)),
      done,
    };
  }

  async #finish(
    pipeline: Pipeline,
    counting: Promise<Record<string, number>> | undefined,
    database: string | undefined,
  ): Promise<PartFacts> {
    const [, summary = ""] = await pipeline.done.catch((error: unknown) => {
      const cause = sourceError(error);
      this.#stop.abort(cause);
      throw cause;
    });
    const tables = await counting;
    if (counting !== undefined) await this.#session?.close();
    this.#unfinished -= 1;
    const raw = bytesRead(summary);
    return {
      ...(raw === undefined ? {} : { rawBytes: raw }),
      ...(database === undefined ? {} : { database }),
      ...(tables === undefined ? {} : { tables }),
    };
  }

  async #terminateSessions(): Promise<void> {
    const { tools, url, application, logger } = this.#plan;
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${application}' AND pid <> pg_backend_pid();`;
    await run(tools.command("psql", [...psqlArgs, "-d", url]), { input: sql, timeoutMs: 15_000 }).catch(
      (error: unknown) => logger.warn({ err: error }, "sessions of the ended dump may still be on the server"),
    );
  }
}

/** Names of tables come back in UTF-8, whatever the database's encoding is. pg_dump keeps the database's own. */
function withUtf8(url: string): string {
  return `${url}&client_encoding=UTF8`;
}
