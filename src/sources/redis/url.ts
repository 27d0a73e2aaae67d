import { AppError } from "../../core/errors.ts";
import { registerSecret } from "../../lib/redaction.ts";

/** Where a Redis is, with its password apart: that goes to the tools by their environment. */
export interface RedisAddress {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  /** A socket's path instead of host and port. */
  readonly socket: string | undefined;
  readonly host: string;
  readonly port: number;
  /** For a person: "10.0.0.7:6379" or the socket's path. */
  readonly name: string;
}

const defaultPort = 6379;

/**
 * Takes redis://, rediss:// (TLS) and unix:// apart. A database's number is accepted and has no meaning: a snapshot
 * holds all of them. A problem is the key of a sentence and holds no part of the URL, since a password may hide where
 * it does not belong.
 */
export function parseRedisUrl(text: string): RedisAddress | { readonly problem: string } {
  try {
    const local = /^unix:\/\/(?:([^:@/]*)(?::([^@]*))?@)?(\/[^?#]+)$/.exec(text);
    if (local !== null) {
      const [, user, password, path = ""] = local;
      const socket = decodeURIComponent(path);
      return { ...credentials(user, password), tls: false, socket, host: "", port: 0, name: socket };
    }
    const url = URL.parse(text);
    const isRedis = url?.protocol === "redis:" || url?.protocol === "rediss:";
    // A slash or a question mark in a password ends the host's part of the URL.
    if (url === null || !isRedis || !/^\/?\d*$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
      return { problem: "config-problem-redis-source-url" };
    }
    const host = url.hostname === "" ? "127.0.0.1" : url.hostname;
    const port = url.port === "" ? defaultPort : Number(url.port);
    return {
      ...credentials(url.username, url.password),
      tls: url.protocol === "rediss:",
      socket: undefined,
      host: host.replace(/^\[(.*)\]$/, "$1"),
      port,
      name: `${host}:${port}`,
    };
  } catch {
    return { problem: "config-problem-redis-source-percent" };
  }
}

function credentials(user = "", password = ""): Pick<RedisAddress, "user" | "password"> {
  return {
    user: user === "" ? undefined : decodeURIComponent(user),
    password: password === "" ? undefined : decodeURIComponent(password),
  };
}

/** The address, its password known as a secret from now on. Throws `config` for what is no address. */
export function addressOf(url: string): RedisAddress {
  const address = parseRedisUrl(url);
  if ("problem" in address) {
    throw new AppError("config", `the url of Redis can not be used: ${address.problem}`, {
      text: { key: address.problem },
    });
  }
  if (address.password !== undefined) registerSecret(address.password);
  return address;
}
