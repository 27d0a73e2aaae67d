import type { Logger } from "../../lib/logger.ts";
import type { OpenOptions, Source, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { inspectTree } from "./inspect.ts";
import { checkReadable } from "./readable.ts";
import { restore, testRestore } from "./restore.ts";
import { configSchema, filesSchema, type TreeConfig } from "./schema.ts";
import { TreeSession } from "./session.ts";

/** Files and folders, as one archive. */
class TreeSource implements Source {
  readonly kind: TreeConfig["kind"];
  /** Its entries are those that tar has written. */
  readonly counts = "exact";
  readonly #config: TreeConfig;

  readonly #logger: Logger;

  constructor(config: TreeConfig, logger: Logger) {
    this.kind = config.kind;
    this.#logger = logger;
    this.#config = config;
  }

  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    return (await inspectTree(this.#config, signal)).info;
  }

  async open(signal: AbortSignal, { formerRawBytes }: OpenOptions = {}): Promise<SourceSession> {
    const inspection = await inspectTree(this.#config, signal, formerRawBytes);
    return new TreeSession(this.#config, inspection, this.#logger, signal);
  }
}

export const filesSource: SourceKind<typeof filesSchema> = {
  kind: "files",
  schema: filesSchema,
  create: (config, { logger }) => new TreeSource(config, logger),
  checkReadable,
  restore,
  testRestore,
};

/** The same for a machine's settings, among which there are secrets: the configuration refuses it without encryption. */
export const configSource: SourceKind<typeof configSchema> = {
  kind: "config",
  schema: configSchema,
  create: (config, { logger }) => new TreeSource(config, logger),
  checkReadable,
  restore,
  testRestore,
};
