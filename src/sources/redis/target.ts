import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import { run } from "../../lib/process.ts";
import { redact, registerSecret } from "../../lib/redaction.ts";
import { meaningOf, redisError } from "./errors.ts";
import { type Info, release, totalKeys, versionOf } from "./info.ts";
import { askInfo } from "./inspect.ts";
import type { Cli } from "./tools.ts";

/** A running Redis that is to be filled. Commands go over redis-cli's standard input: passwords may be among them. */
export class RestoreGoal {
  readonly #cli: Cli;
  readonly #signal: AbortSignal;

  constructor(cli: Cli, signal: AbortSignal) {
    this.#cli = cli;
    this.#signal = signal;
  }

  /** The same server, asked for so many milliseconds at most, whatever else is aborted. */
  within(milliseconds: number): RestoreGoal {
    return new RestoreGoal(this.#cli, AbortSignal.timeout(milliseconds));
  }

  info(): Promise<Info> {
    return askInfo(this.#cli, this.#signal);
  }

  /** Lines of the answers. Commands are not retried: an error among the answers throws. */
  async ask(commands: readonly string[], signal = this.#signal): Promise<string[]> {
    const input = `${commands.join("\n")}\n`;
    const { stdout, stderr } = await run(this.#cli([]), { input, signal, timeoutMs: 30_000 }).catch(
      (error: unknown) => {
        throw redisError(error);
      },
    );
    const lines = stdout.replace(/\n+$/, "").split("\n");
    const wrong = lines.find((line) =>
      /^(?:\(error\) )?(?:ERR|NOPERM|NOAUTH|LOADING|WRONGPASS|MISCONF|READONLY|BUSY|DENIED|NOREPLICAS|OOM) /.test(line),
    );
    if (wrong === undefined && !/AUTH failed/.test(stderr)) return lines;
    const words = redact(wrong ?? stderr);
    const context = { step: "redis-cli", stderr: words };
    const other = new AppError("source-refused", `the target refuses: ${words}`, {
      context,
      text: { key: "error-redis-target-refuses" },
    });
    throw meaningOf(words) ?? other;
  }

  /** One setting's value. */
  async setting(name: string): Promise<string> {
    const [, value = ""] = await this.ask([`CONFIG GET ${name}`]);
    return value;
  }

  /** Throws `conflict` unless the target is an empty master that can take a snapshot over. */
  async requireEmpty(highestDatabase: number): Promise<Info> {
    const info = await this.info();
    const refuse = (key: string, message: string, code: ErrorCode = "conflict"): never => {
      throw new AppError(code, message, { context: { step: "preflight" }, text: { key } });
    };
    if (info.get("loading") === "1") refuse("error-redis-loading", "Redis is loading its data", "source-failed");
    if (info.get("redis_mode") !== "standalone")
      refuse(
        "error-redis-target-cluster",
        "the target is a Sentinel or a cluster's node: restore into a single server",
      );
    if (info.get("role") !== "master")
      refuse("error-redis-target-replica", "the target is a replica: it takes its master's data");
    if (totalKeys(info) > 0)
      refuse("error-redis-target-full", `the target has ${totalKeys(info)} keys: it has to be empty`);
    if ((await this.setting("tls-replication")) === "yes")
      refuse(
        "error-redis-target-tls",
        "the target replicates over TLS only (tls-replication yes): set it to no for the restore",
      );
    // A server that is sent a database it does not have ends itself.
    if (Number(await this.setting("databases")) <= highestDatabase)
      refuse(
        "error-redis-target-databases",
        `the target has no database ${highestDatabase}: raise its setting databases`,
      );
    return info;
  }

  /** The address of this machine as the target sees it. Throws `conflict` when it is none of this machine's own. */
  async ownAddress(): Promise<string> {
    const name = `vakhta-${randomBytes(8).toString("hex")}`;
    const lines = await this.ask([`CLIENT SETNAME ${name}`, "CLIENT LIST"]);
    const line = lines.find((text) => text.includes(`name=${name}`)) ?? "";
    const seen = /\baddr=(\S+):\d+/.exec(line)?.[1]?.replace(/^\[(.*)\]$/, "$1") ?? "";
    if (seen.startsWith("/")) return "127.0.0.1";
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    if (own.some(({ address }) => address === seen)) return seen;
    const message = `the target sees this machine as ${seen || "?"}, which is no address of it: restore on the target's own machine`;
    throw new AppError("conflict", message, {
      context: { step: "preflight" },
      text: { key: "error-redis-target-route", args: { address: seen || "?" } },
    });
  }

  /** Makes it a replica; the returned function makes it a master again, with its own settings as they were. */
  async follow(address: string, port: number, password: string): Promise<() => Promise<void>> {
    const before = { masterauth: await this.setting("masterauth"), masteruser: await this.setting("masteruser") };
    if (before.masterauth !== "") registerSecret(before.masterauth);
    const release = async (): Promise<void> => {
      // Also after an abort: left as a replica of what is gone, the target could not be written to.
      const settings = Object.entries(before).map(([name, value]) => `CONFIG SET ${name} ${JSON.stringify(value)}`);
      await this.ask(["REPLICAOF NO ONE", ...settings], AbortSignal.timeout(30_000));
    };
    try {
      await this.ask([`CONFIG SET masteruser ""`, `CONFIG SET masterauth ${password}`, `REPLICAOF ${address} ${port}`]);
    } catch (error) {
      await release().catch(() => undefined);
      throw error;
    }
    return release;
  }
}

/** Throws `tool-too-old` when the target could not read what the private Redis of this machine writes. */
export function requireNotOlder(target: Info, own: Info): void {
  const [theirs, ours] = [versionOf(target), versionOf(own)];
  if (theirs.product === ours.product && release(theirs.version) >= release(ours.version)) return;
  const args = {
    target: `${theirs.product} ${theirs.version}`,
    own: `${ours.product} ${ours.version}`,
  };
  const message = `the target is ${args.target}, and the Redis that would send the data is ${args.own}: install the target's version here`;
  throw new AppError("tool-too-old", message, {
    context: { step: "redis-server" },
    text: { key: "error-redis-target-old", args },
  });
}
