import type { Logger } from "../../lib/logger.ts";
import { LazyBeside, LazyReplacer, lazily } from "../lazily.ts";
import type { Beside, BesideOrder, ReplacementOrder, Replacer } from "../replacement.ts";
import type { OpenOptions, Source, SourceDeps, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { besideName } from "./beside-name.ts";
import { inspectTree } from "./inspect.ts";
import { foldersAside } from "./replace/work.ts";
import { configSchema, filesSchema, type TreeConfig } from "./schema.ts";

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
    const { info } = await inspectTree(this.#config, signal);
    const aside = await foldersAside(this.#config.paths);
    return { ...info, ...(aside.length > 0 && { aside }) };
  }

  async open(signal: AbortSignal, { formerRawBytes }: OpenOptions = {}): Promise<SourceSession> {
    const inspection = await inspectTree(this.#config, signal, formerRawBytes);
    const { TreeSession } = await import("./session.ts");
    return new TreeSession(this.#config, inspection, this.#logger, signal);
  }
}

function replacer(config: TreeConfig, order: ReplacementOrder): Replacer {
  return new LazyReplacer(async () => (await import("./replace/index.ts")).createReplacer(config, order));
}

function beside(config: TreeConfig, order: BesideOrder): Beside {
  return new LazyBeside(async () => (await import("./replace/beside.ts")).createBeside(config, order));
}

const tree = {
  create: (config: TreeConfig, { logger }: SourceDeps) => new TreeSource(config, logger),
  load: () => import("./session.ts"),
  checkReadable: lazily(async () => (await import("./readable.ts")).checkReadable),
  restore: lazily(async () => (await import("./restore.ts")).restore),
  testRestore: lazily(async () => (await import("./restore.ts")).testRestore),
  replacer,
  beside,
  besideName,
};

export const filesSource: SourceKind<typeof filesSchema> = { kind: "files", schema: filesSchema, ...tree };

/** The same for a machine's settings, among which there are secrets: the configuration refuses it without encryption. */
export const configSource: SourceKind<typeof configSchema> = { kind: "config", schema: configSchema, ...tree };
