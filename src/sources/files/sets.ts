import { globSync } from "node:fs";

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

/** The paths of a set that exist here; none: it is absent. A name that is no UTF-8 cannot be among them. */
export function expandSet(name: SetName): string[] {
  return setPaths[name].flatMap((pattern) => globSync(pattern)).sort();
}
