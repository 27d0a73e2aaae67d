import { AppError } from "../../core/errors.ts";
import { type ManifestNote, mostNotes } from "../../core/manifest.ts";
import type { Command } from "../../lib/child.ts";
import type { Logger } from "../../lib/logger.ts";
import { bytesWritten, type Pipeline, startPipeline } from "../../lib/process.ts";
import type { PartFacts, SessionSummary, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { bytesRead, zstdCommand } from "../zstd.ts";
import { type Measured, type Snapshot, tableList, takeSnapshot } from "./counts.ts";
import { askDatabase, type Choice, chooseDatabases, isMissingDatabase, listDatabases } from "./databases.ts";
import { sourceError } from "./errors.ts";
import { type Contents, filterArgs, isFiltered, listingName, nothingChosen, readContents } from "./filters.ts";
import { partFile, quoteConnectionValue, quoteLiteral } from "./names.ts";
import type { PostgresConfig } from "./schema.ts";
import { ask, PsqlSession, psqlArgs, withEncoding, withUtf8 } from "./session.ts";
import type { Tools } from "./tools.ts";

export interface DumpPlan {
  readonly config: PostgresConfig;
  readonly tools: Tools;
  /** Without the password: of the database that is connected to, or of another one of that server. */
  url(application: string, database?: string): string;
  /** The database that is connected to. */
  readonly database: string;
  /** Which databases are dumped; undefined: only the one that is connected to. */
  readonly several: Choice | undefined;
  /** That database's encoding. */
  readonly encoding: string;
  /** The `application_name` of this run's sessions. */
  readonly application: string;
  readonly info: SourceInfo;
  readonly rolePasswords: boolean;
  readonly logger: Logger;
}

/** Dumps of one database or of several, one after another, and the cluster's globals, each piped from its tool through zstd. */
export class PostgresSession implements SourceSession {
  readonly #plan: DumpPlan;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pipelines: Pipeline[] = [];
  readonly #sessions = new Set<PsqlSession>();
  readonly #notes: ManifestNote[] = [];
  readonly #extensions = new Map<string, string>();
  #unfinished = 0;

  constructor(plan: DumpPlan, signal: AbortSignal) {
    this.#plan = plan;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    for (const name of plan.several?.closed ?? []) this.#note("left-out", name);
  }

  get info(): SourceInfo {
    const { info, several } = this.#plan;
    const found = [...this.#extensions].filter(([, list]) => list !== "");
    const extensions = found.map(([database, list]) => (several === undefined ? list : `${database}: ${list}`));
    return extensions.length === 0 ? info : { ...info, facts: { ...info.facts, extensions: extensions.join("; ") } };
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { config, several, database } = this.#plan;
    let globals: SourcePart | undefined;
    for (const name of several?.chosen.map((each) => each.name) ?? [database]) {
      const artifact = await this.#artifact(name);
      // Beside the first dump: small enough to wait in the pipe, and a failure ends the run now instead of after the dump.
      if (config.globals) globals ??= this.#globals();
      if (artifact !== undefined) yield artifact;
    }
    if (config.databases === "all") await this.#lookForNew();
    if (globals !== undefined) yield globals;
  }

  summary(): SessionSummary {
    return { references: [], notes: this.#notes.slice(0, mostNotes), notesTotal: this.#notes.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const interrupted = this.#unfinished > 0;
    this.#stop.abort(new AppError("interrupted", "the dump was ended", { permanent: false }));
    for (const pipeline of this.#pipelines) pipeline.stdout.destroy();
    await Promise.allSettled(this.#pipelines.map((pipeline) => pipeline.done));
    await Promise.all([...this.#sessions].map((session) => session.close()));
    // The container engine's client has ended; what it started inside the container has not.
    if (interrupted && this.#plan.config.via) await this.#terminateSessions(this.#plan.application);
  }

  /** The dump of one database; undefined for one of `all` that is there no more. */
  async #artifact(database: string): Promise<SourcePart | undefined> {
    const { config, tools, several, application } = this.#plan;
    const url = this.#plan.url(application, several && database);
    // While it is open, nobody can drop the database.
    const session = new PsqlSession(tools.command("psql", [...psqlArgs, "-d", withUtf8(url)], "count"), this.#signal);
    this.#sessions.add(session);
    let encoding: string;
    try {
      const found = await askDatabase(session);
      encoding = found.encoding;
      this.#extensions.set(database, found.extensions);
    } catch (error) {
      if (config.databases !== "all" || !isMissingDatabase(error)) throw error;
      this.#note("vanished", database);
      return undefined;
    }
    const args = ["--format=custom", "--compress=0", "--no-password", `--lock-wait-timeout=${config.lockWait}`];
    const filters = filterArgs(config);
    const choose = (snapshot: string[]) =>
      this.#dumped(session, { database, encoding }, [...args, ...filters, ...snapshot]);
    let snapshot: Snapshot | undefined;
    if (config.counts === "exact") {
      const byContents = isFiltered(config) ? (id: string) => choose([`--snapshot=${id}`]) : undefined;
      snapshot = await takeSnapshot(session, config.lockWait, byContents);
      args.push(`--snapshot=${snapshot.id}`);
    } else if (isFiltered(config)) await choose([]);
    const dump = tools.command("pg_dump", [...args, ...filters, `--dbname=${withEncoding(url, encoding)}`]);
    const file = several === undefined ? "artifact.dump.zst" : partFile(database);
    return this.#part("artifact", file, dump, { database, session, snapshot });
  }

  /** Oids of the tables whose rows a dump writes. Rejects where it would have no table at all and the database has some. */
  async #dumped(
    session: PsqlSession,
    { database, encoding }: { readonly database: string; readonly encoding: string },
    args: readonly string[],
  ): Promise<ReadonlySet<number>> {
    const { config, tools, several } = this.#plan;
    const application = listingName(this.#plan.application);
    const url = withEncoding(this.#plan.url(application, several && database), encoding);
    let contents: Contents;
    try {
      contents = await readContents(tools, url, args, this.#signal);
    } finally {
      if (config.via) await this.#terminateSessions(application);
    }
    // A schema that is included by its name may have none.
    const suspicious = !contents.relations && config.schemas?.include === undefined;
    if (suspicious && (await session.query(tableList)).length > 0) throw nothingChosen(database);
    return contents.rowsOf;
  }

  #globals(): SourcePart {
    const { tools, database, application } = this.#plan;
    // As a connection string of its own: what looks like one would be taken for it.
    const args = ["--globals-only", "--no-password", `--database=dbname=${quoteConnectionValue(database)}`];
    args.push(`--dbname=${withEncoding(this.#plan.url(application), this.#plan.encoding)}`);
    if (!this.#plan.rolePasswords) args.push("--no-role-passwords");
    return this.#part("globals", "globals.sql.zst", tools.command("pg_dumpall", args));
  }

  #part(
    role: string,
    file: string,
    command: Command,
    dumped?: { readonly database: string; readonly session: PsqlSession; readonly snapshot: Snapshot | undefined },
  ): SourcePart {
    const pipeline = startPipeline([command, zstdCommand(this.#plan.config.level)], { signal: this.#signal });
    this.#pipelines.push(pipeline);
    this.#unfinished += 1;
    const counting = dumped?.snapshot?.count();
    // A count that fails makes the dump useless: ended at once, with the count's error as the cause.
    counting?.catch((error: unknown) => this.#stop.abort(error));
    const done = this.#finish(pipeline, counting, dumped);
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
    counting: Promise<Measured> | undefined,
    dumped: { readonly database: string; readonly session: PsqlSession } | undefined,
  ): Promise<PartFacts> {
    const [, summary = ""] = await pipeline.done.catch((error: unknown) => {
      const cause = sourceError(error);
      this.#stop.abort(cause);
      throw cause;
    });
    const counted = await counting;
    await dumped?.session.close();
    this.#unfinished -= 1;
    const raw = bytesRead(summary);
    const largeObjects = this.#plan.config.largeObjects ? (counted?.largeObjects ?? 0) : 0;
    return {
      ...(raw === undefined ? {} : { rawBytes: raw }),
      ...(dumped === undefined ? {} : { database: dumped.database }),
      ...(counted === undefined ? {} : { tables: counted.tables, tableBytes: counted.tableBytes }),
      ...(largeObjects === 0 ? {} : { entries: largeObjects }),
    };
  }

  /** Databases that were made while the others were dumped are named. */
  async #lookForNew(): Promise<void> {
    const { config, tools, several, application } = this.#plan;
    const known = new Set([...(several?.chosen.map(({ name }) => name) ?? []), ...(several?.closed ?? [])]);
    const psql = (args: readonly string[]) => tools.command("psql", args);
    const now = chooseDatabases(config, await listDatabases(psql, this.#plan.url(application), this.#signal));
    for (const { name } of now.chosen) if (!known.has(name)) this.#note("left-out", name);
    for (const name of now.closed) if (!known.has(name)) this.#note("left-out", name);
  }

  #note(kind: ManifestNote["kind"], database: string): void {
    this.#notes.push({ kind, name: `database ${database}` });
    this.#plan.logger.warn({ database, kind }, "a database is not in the backup");
  }

  async #terminateSessions(application: string): Promise<void> {
    const { tools, logger } = this.#plan;
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${quoteLiteral(application)} AND pid <> pg_backend_pid()`;
    const psql = (args: readonly string[]) => tools.command("psql", args);
    await ask(psql, this.#plan.url(`${application}-end`), sql, new AbortController().signal, 15_000).catch(
      (error: unknown) => logger.warn({ err: error }, "sessions of the ended dump may still be on the server"),
    );
  }
}
