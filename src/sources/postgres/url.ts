/** A connection URL without its secrets, which go to the tools by their environment: argv is visible to every user. */
export interface ConnectionTarget {
  /** Database name as libpq will take it, or undefined for libpq's default (the user's name). */
  readonly database: string | undefined;
  readonly password: string | undefined;
  /** The URL without a password, with the parameters set unless it has them already; of another database where one is named. */
  url(parameters: Readonly<Record<string, string>>, database?: string): string;
}

/**
 * Takes a libpq connection URL apart. Not `new URL`: libpq allows several hosts and socket paths, which that refuses.
 * A problem is the key of a sentence and holds no part of the URL, since a password may hide where it does not belong.
 */
export function parseUrl(url: string): ConnectionTarget | { readonly problem: string } {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url);
  if (match === null) return { problem: "config-problem-postgres-url" };
  const [, userInfo, hosts = "", path = "", query = ""] = match;
  try {
    const [user, ...secret] = (userInfo ?? "").split(":");
    const parameters = new Map<string, string>();
    for (const pair of query === "" ? [] : query.split("&")) {
      const [name = "", ...value] = pair.split("=");
      parameters.set(decodeURIComponent(name), decodeURIComponent(value.join("=")));
    }
    // libpq reads an unescaped @ or / in a password as the end of it, and would name the rest as the host.
    if (hosts.includes("@")) return { problem: "config-problem-postgres-url-at" };
    if (userInfo === undefined && `${path}?${query}`.includes("@")) {
      return { problem: "config-problem-postgres-url-slash" };
    }
    if (parameters.has("sslpassword")) {
      return { problem: "config-problem-postgres-url-sslpassword" };
    }
    const password =
      parameters.get("password") ?? (secret.length > 0 ? decodeURIComponent(secret.join(":")) : undefined);
    parameters.delete("password");
    const database = parameters.get("dbname") ?? (path === "" ? undefined : decodeURIComponent(path));
    const authority = `${user === "" || user === undefined ? "" : `${user}@`}${hosts}`;
    return {
      database,
      password: password === "" ? undefined : password,
      url: (additional, other) => {
        const all = { ...additional, ...Object.fromEntries(parameters) };
        const text = Object.entries(all)
          .filter(([name]) => other === undefined || name !== "dbname")
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
        const where = other === undefined ? path : encodeURIComponent(other);
        return `postgresql://${authority}/${where}${text.length === 0 ? "" : `?${text.join("&")}`}`;
      },
    };
  } catch {
    return { problem: "config-problem-postgres-url-percent" };
  }
}
