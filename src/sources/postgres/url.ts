/** A connection URL without its secrets, which go to the tools by their environment: argv is visible to every user. */
export interface ConnectionTarget {
  /** Database name as libpq will take it, or undefined for libpq's default (the user's name). */
  readonly database: string | undefined;
  readonly password: string | undefined;
  /** The URL without a password, with the parameters set unless it has them already. */
  url(parameters: Readonly<Record<string, string>>): string;
}

/**
 * Takes a libpq connection URL apart. Not `new URL`: libpq allows several hosts and socket paths, which that refuses.
 * A problem is told without any part of the URL, since a password may hide where it does not belong.
 */
export function parseUrl(url: string): ConnectionTarget | { readonly problem: string } {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url);
  if (match === null) return { problem: "must be a URL that begins with postgresql://" };
  const [, userInfo, hosts = "", path = "", query = ""] = match;
  try {
    const [user, ...secret] = (userInfo ?? "").split(":");
    const parameters = new Map<string, string>();
    for (const pair of query === "" ? [] : query.split("&")) {
      const [name = "", ...value] = pair.split("=");
      parameters.set(decodeURIComponent(name), decodeURIComponent(value.join("=")));
    }
    // libpq reads an unescaped @ or / in a password as the end of it, and would name the rest as the host.
    if (hosts.includes("@")) return { problem: "has an @ in its password: write it as %40" };
    if (userInfo === undefined && `${path}?${query}`.includes("@")) {
      return { problem: "has a / or ? in its password: write them as %2F and %3F" };
    }
    if (parameters.has("sslpassword")) {
      return {
        problem: "has an sslpassword, which libpq takes from the command line only: use a key file without one",
      };
    }
    const password =
      parameters.get("password") ?? (secret.length > 0 ? decodeURIComponent(secret.join(":")) : undefined);
    parameters.delete("password");
    const database = parameters.get("dbname") ?? (path === "" ? undefined : decodeURIComponent(path));
    const authority = `${user === "" || user === undefined ? "" : `${user}@`}${hosts}`;
    return {
      database,
      password: password === "" ? undefined : password,
      url: (additional) => {
        const all = { ...additional, ...Object.fromEntries(parameters) };
        const text = Object.entries(all).map(
          ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
        );
        return `postgresql://${authority}/${path}${text.length === 0 ? "" : `?${text.join("&")}`}`;
      },
    };
  } catch {
    return { problem: "has a % that is no escape: write a percent sign as %25" };
  }
}
