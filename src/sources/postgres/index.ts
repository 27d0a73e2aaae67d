import { randomBytes } from "node:crypto";
import { LazyBeside, LazyReplacer, lazily } from "../lazily.ts";
import type { Source, SourceClients, SourceDeps, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { prepareVia } from "../via.ts";
import { besideName } from "./beside-name.ts";
import { askClients } from "./clients.ts";
import { parseConnection, readPassword, toolUrl } from "./connection.ts";
import { chooseDatabases, listDatabases } from "./databases.ts";
import type { DumpPlan } from "./dump.ts";
import { askServer, describe } from "./inspect.ts";
import { isMark } from "./replace/marks.ts";
import { type PostgresConfig, postgresSchema } from "./schema.ts";
import type { PsqlCommand } from "./session.ts";
import { anyPsql, chooseTools, type ToolOptions } from "./tools.ts";
import type { ConnectionTarget } from "./url.ts";

/** One PostgreSQL database, or several of one server, dumped by the server's own tools. */
class PostgresSource implements Source {
  readonly kind = "postgres";
  readonly counts: "exact" | "off";
  readonly #config: PostgresConfig;
  readonly #deps: SourceDeps;
  readonly #target: ConnectionTarget;
  readonly #via: readonly string[] | undefined;

  constructor(config: PostgresConfig, deps: SourceDeps) {
    this.counts = config.counts;
    this.#config = config;
    this.#deps = deps;
    this.#target = parseConnection(config.url);
    const hasPassword = this.#target.password !== undefined || config.passwordFile !== undefined;
    this.#via = config.via && prepareVia(config.via, hasPassword ? "PGPASSWORD" : undefined);
  }

  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    const { info } = await this.#look(signal, "vakhta");
    const psql = await this.#psql();
    const all = await listDatabases(psql, toolUrl(this.#target, "vakhta"), signal);
    const aside = all.filter(({ comment }) => isMark(comment)).map(({ name }) => name);
    return { ...info, ...(aside.length > 0 && { aside }) };
  }

  async clients(signal: AbortSignal, timeoutMs: number): Promise<SourceClients> {
    return await askClients(await this.#psql(), toolUrl(this.#target, "vakhta"), signal, timeoutMs);
  }

  async #psql(): Promise<PsqlCommand> {
    const { password = this.#config.passwordFile && (await readPassword(this.#config.passwordFile)) } = this.#target;
    return anyPsql({ via: this.#via, bin: this.#config.bin, password });
  }

  async open(signal: AbortSignal): Promise<SourceSession> {
    // A name of its own, so that the sessions of exactly this run can be found and ended on the server.
    const { PostgresSession } = await import("./dump.ts");
    return new PostgresSession(await this.#look(signal, `vakhta-${randomBytes(4).toString("hex")}`), signal);
  }

  async #look(signal: AbortSignal, application: string): Promise<DumpPlan> {
    const config = this.#config;
    const { password = config.passwordFile && (await readPassword(config.passwordFile)) } = this.#target;
    const options: ToolOptions = { via: this.#via, bin: config.bin, password };
    const url = (name: string, database?: string) => toolUrl(this.#target, name, database);
    const psql = anyPsql(options);
    const server = await askServer(psql, url(application), signal);
    const several =
      config.databases === undefined
        ? undefined
        : chooseDatabases(config, await listDatabases(psql, url(application), signal));
    const tools = await chooseTools(options, server.major, signal);
    const info = describe(server, tools.version, config, several);
    const { database, encoding, rolePasswords } = server;
    const { logger } = this.#deps;
    return { config, tools, url, database, encoding, several, application, info, rolePasswords, logger };
  }
}

export const postgresSource: SourceKind<typeof postgresSchema> = {
  kind: "postgres",
  schema: postgresSchema,
  create: (config, deps) => new PostgresSource(config, deps),
  load: () => import("./dump.ts"),
  checkReadable: lazily(async () => (await import("./readable.ts")).checkReadable),
  restore: lazily(async () => (await import("./restore.ts")).restore),
  lookAtTarget: lazily(async () => (await import("./restore.ts")).lookAtTarget),
  testRestore: lazily(async () => (await import("./test-restore.ts")).testRestore),
  replacer: (config, order) =>
    new LazyReplacer(async () => (await import("./replace/index.ts")).createReplacer(config, order)),
  beside: (config, order) =>
    new LazyBeside(async () => (await import("./replace/besides.ts")).createBeside(config, order)),
  besideName,
  globals: {
    look: async (...args) => await (await import("./globals-diff.ts")).lookAtGlobals(...args),
    apply: async (...args) => await (await import("./globals-diff.ts")).applyGlobals(...args),
  },
  cleanUpScratch: lazily(async () => (await import("./scratch-databases.ts")).cleanUpScratch),
};
