import { readFile } from "node:fs/promises";
import { AppError } from "../../core/errors.ts";
import { registerSecret } from "../../lib/redaction.ts";
import type { ToolOptions } from "./tools.ts";
import { type ConnectionTarget, parseUrl } from "./url.ts";

const connectTimeoutS = "10";

/** Where a server is and how its tools get in. */
export interface Connection {
  /** What the tools are made with: the password is in there, and nowhere in a URL. */
  readonly options: ToolOptions;
  /** The database that the URL names; undefined: libpq's default. */
  readonly database: string | undefined;
  /** The URL for the tools, also of another database of the same server. */
  url(application: string, database?: string): string;
}

/** Throws `config` for a URL that libpq would not take, or whose password would be seen. */
export function parseConnection(url: string): ConnectionTarget {
  const target = parseUrl(url);
  if ("problem" in target) {
    throw new AppError("config", `the URL of the database can not be used: ${target.problem}`, {
      text: { key: target.problem },
    });
  }
  if (target.password !== undefined) registerSecret(target.password);
  return target;
}

/** Parameters stand in the URL and not in the environment, which a container client would not pass on. */
export function toolUrl(target: ConnectionTarget, application: string, database?: string): string {
  return target.url({ connect_timeout: connectTimeoutS, application_name: application }, database);
}

/** The server that a URL names, for a restore: with the tools of this machine. Throws `config`. */
export function connect(url: string): Connection {
  const target = parseConnection(url);
  return {
    options: { password: target.password },
    database: target.database,
    url: (application, database) => toolUrl(target, application, database),
  };
}

/** The password that is all there is in a file but for the end of its line. Rejects with `secret-missing`. */
export async function readPassword(file: string): Promise<string> {
  const password = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    const code = error.code ?? "";
    throw new AppError("secret-missing", `the password file ${file} can not be read (${code})`, {
      context: { step: "preflight", file },
      text: { key: "error-password-file", args: { file, code } },
    });
  });
  const trimmed = password.replace(/\r?\n$/, "");
  if (trimmed === "") {
    throw new AppError("secret-missing", `the password file ${file} is empty`, {
      context: { step: "preflight", file },
      text: { key: "error-password-file-empty", args: { file } },
    });
  }
  registerSecret(trimmed);
  return trimmed;
}
