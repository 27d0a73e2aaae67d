import { randomBytes } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { registerSecret } from "../../lib/redaction.ts";
import type { Source, SourceDeps, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { PostgresSession } from "./dump.ts";
import { askServer, describe } from "./inspect.ts";
import { checkReadable } from "./readable.ts";
import { type PostgresConfig, postgresSchema } from "./schema.ts";
import { anyPsql, chooseTools, type ToolOptions, type Tools } from "./tools.ts";
import { type ConnectionTarget, parseUrl } from "./url.ts";
import { prepareVia } from "./via.ts";

const connectTimeoutS = "10";

/** A PostgreSQL database, dumped by the server's own tools. */
class PostgresSource implements Source {
  readonly kind = "postgres";
  readonly counts: "exact" | "off";
  readonly #config: PostgresConfig;
  readonly #deps: SourceDeps;
  readonly #target: ConnectionTarget;
  readonly #tools: ToolOptions;

  constructor(config: PostgresConfig, deps: SourceDeps) {
    this.counts = config.counts;
    this.#config = config;
    this.#deps = deps;
    const target = parseUrl(config.url);
    if ("problem" in target) {
      throw new AppError("config", `the source's url can not be used: ${target.problem}`, {
        text: { key: target.problem },
      });
    }
    this.#target = target;
    if (target.password !== undefined) registerSecret(target.password);
    this.#tools = {
      via: config.via && prepareVia(config.via, target.password !== undefined),
      bin: config.bin,
      password: target.password,
    };
  }

  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    return (await this.#look(signal, this.#url("vakhta"))).info;
  }

  async open(signal: AbortSignal): Promise<SourceSession> {
    // A name of its own, so that the sessions of exactly this run can be found and ended on the server.
    const application = `vakhta-${randomBytes(4).toString("hex")}`;
    const url = this.#url(application);
    const { info, tools, rolePasswords, database } = await this.#look(signal, url);
    return new PostgresSession(
      { config: this.#config, tools, url, database, application, info, rolePasswords, logger: this.#deps.logger },
      signal,
    );
  }

  async #look(
    signal: AbortSignal,
    url: string,
  ): Promise<{ info: SourceInfo; tools: Tools; rolePasswords: boolean; database: string }> {
    const server = await askServer(anyPsql(this.#tools), url, signal);
    const tools = await chooseTools(this.#tools, server.major, signal);
    const info = describe(server, tools.version, this.#config.globals);
    return { info, tools, rolePasswords: server.rolePasswords, database: server.database };
  }

  /** Parameters stand in the URL and not in the environment, which a container client would not pass on. */
  #url(application: string): string {
    return this.#target.url({ connect_timeout: connectTimeoutS, application_name: application });
  }
}

export const postgresSource: SourceKind<typeof postgresSchema> = {
  kind: "postgres",
  schema: postgresSchema,
  create: (config, deps) => new PostgresSource(config, deps),
  checkReadable,
};
