import { lstatSync, readdirSync } from "node:fs";
import { join, matchesGlob } from "node:path";

/** Names of the ready-made lists of paths. */
export const setNames = ["nginx", "systemd", "env", "cron", "ssh", "letsencrypt", "docker-compose", "vakhta"] as const;
export type SetName = (typeof setNames)[number];

/** What belongs to a set on a usual Linux machine: absolute patterns of paths, of which any may be absent. */
export const setPaths: Readonly<Record<SetName, readonly string[]>> = {
  nginx: ["/etc/nginx"],
  systemd: ["/etc/systemd", "/usr/local/lib/systemd"],
  env: ["/etc/environment", "/etc/environment.d", "/etc/default", "/etc/profile.d"],
  cron: ["/etc/crontab", "/etc/anacrontab", "/etc/cron.{d,hourly,daily,weekly,monthly}", "/var/spool/cron"],
  ssh: ["/etc/ssh", "/root/.ssh", "/home/*/.ssh"],
  letsencrypt: ["/etc/letsencrypt"],
  "docker-compose": [
    "/etc/docker",
    "/{opt,srv,root}/{compose,docker-compose}*.{yml,yaml}",
    "/{opt,srv,root,home}/*/{compose,docker-compose}*.{yml,yaml}",
    "/{opt,srv,root}/.env",
    "/{opt,srv,root,home}/*/.env",
  ],
  vakhta: ["/etc/vakhta", "/opt/vakhta/vakhta.yaml", "/opt/vakhta/.env"],
};

/** What of a set is here. */
export interface Expanded {
  /** Paths that exist, a link that leads nowhere among them. A name that is no UTF-8 cannot be. */
  readonly paths: readonly string[];
  /** Folders into which this user cannot look: whether there is something of the set in them nobody can tell. */
  readonly closed: readonly string[];
}

/** Nothing at all: the set is absent. */
export function expandSet(name: SetName): Expanded {
  return expandPatterns(setPaths[name]);
}

/** What fits absolute patterns with `*` and `{a,b}` within the names between the slashes. Throws the system's errors. */
export function expandPatterns(patterns: readonly string[]): Expanded {
  const closed = new Set<string>();
  const step = (folder: string, name: string): string[] => {
    const isPattern = /[*{]/.test(name);
    try {
      if (isPattern)
        return readdirSync(folder).flatMap((entry) => (matchesGlob(entry, name) ? join(folder, entry) : []));
      lstatSync(join(folder, name));
      return [join(folder, name)];
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "EACCES") closed.add(folder);
      else if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(code)) throw error;
      return [];
    }
  };
  const paths = patterns.flatMap((pattern) =>
    pattern
      .split("/")
      .slice(1)
      .reduce<string[]>((found, name) => found.flatMap((folder) => step(folder, name)), ["/"]),
  );
  return { paths: [...new Set(paths)].sort(), closed: [...closed].sort() };
}
