import { LazyReplacer, lazily } from "../lazily.ts";
import type { Source, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { prepareVia } from "../via.ts";
import { askInfo, describe, requireReadableBy, requireSound } from "./inspect.ts";
import { type RedisConfig, redisSchema } from "./schema.ts";
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
    const { RedisSession } = await import("./dump.ts");
    return new RedisSession({ info, dump: this.#cli(["--rdb", "-"]), check: checkCommand(bin), level }, signal);
  }
}

export const redisSource: SourceKind<typeof redisSchema> = {
  kind: "redis",
  schema: redisSchema,
  create: (config) => new RedisSource(config),
  load: () => import("./dump.ts"),
  checkReadable: lazily(async () => (await import("./readable.ts")).checkReadable),
  restore: lazily(async () => (await import("./restore.ts")).restore),
  lookAtTarget: lazily(async () => (await import("./restore.ts")).lookAtTarget),
  testRestore: lazily(async () => (await import("./test-restore.ts")).testRestore),
  replacer: (config, order) =>
    new LazyReplacer(async () => (await import("./replace/index.ts")).createReplacer(config, order)),
};
