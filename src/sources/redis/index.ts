import { LazyReplacer } from "../lazily.ts";
import type { Source, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { prepareVia } from "../via.ts";
import { RedisSession } from "./dump.ts";
import { askInfo, describe, requireReadableBy, requireSound } from "./inspect.ts";
import { checkReadable } from "./readable.ts";
import { lookAtTarget, restore } from "./restore.ts";
import { type RedisConfig, redisSchema } from "./schema.ts";
import { testRestore } from "./test-restore.ts";
import { type Cli, type CliOptions, checkCommand, cliFor, passwordVariable, toolVersions } from "./tools.ts";
import { addressOf, type RedisAddress } from "./url.ts";

/** A Redis server with all its databases, as a snapshot over the replication protocol. */
class RedisSource implements Source {
  readonly kind = "redis";
  /** What is counted is counted by redis-check-rdb in the snapshot itself. */
  readonly counts = "exact";
  readonly #config: RedisConfig;
  readonly #address: RedisAddress;
  readonly #options: CliOptions;
  readonly #cli: Cli;

  constructor(config: RedisConfig) {
    this.#config = config;
    this.#address = addressOf(config.url);
    const { password } = this.#address;
    const via = config.via && prepareVia(config.via, password === undefined ? undefined : passwordVariable);
    this.#options = { tls: config.tls, bin: config.bin, via };
    this.#cli = cliFor(this.#address, this.#options);
  }

  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    const tools = await toolVersions(this.#options, signal);
    const info = await askInfo(this.#cli, signal);
    requireSound(info, this.#config);
    requireReadableBy(info, tools.check);
    return describe(info, this.#address.name, tools);
  }

  async open(signal: AbortSignal): Promise<SourceSession> {
    const { level, bin } = this.#config;
    const info = await this.inspect(signal);
    return new RedisSession({ info, dump: this.#cli(["--rdb", "-"]), check: checkCommand(bin), level }, signal);
  }
}

export const redisSource: SourceKind<typeof redisSchema> = {
  kind: "redis",
  schema: redisSchema,
  create: (config) => new RedisSource(config),
  checkReadable,
  restore,
  lookAtTarget,
  testRestore,
  replacer: (config, order) =>
    new LazyReplacer(async () => (await import("./replace/index.ts")).createReplacer(config, order)),
};
