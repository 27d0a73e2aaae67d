import { AppError } from "../../core/errors.ts";
import { alerts } from "./alerts.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { backups } from "./backups.ts";
import { drill } from "./drill.ts";
import { help } from "./help.ts";
import { language } from "./language.ts";
import { reboot } from "./reboot.ts";
import { restore } from "./restore.ts";
import { servers } from "./servers.ts";
import { shutdown } from "./shutdown.ts";
import { silence } from "./silence.ts";
import { start } from "./start.ts";
import { startserver } from "./startserver.ts";
import { stats } from "./stats.ts";
import { status } from "./status.ts";
import type { Command } from "./types.ts";
import { verify } from "./verify.ts";
import { whoami } from "./whoami.ts";

/** Every chat command, in the order of the menu. */
export const commands: readonly Command[] = unique([
  alerts,
  silence,
  stats,
  servers,
  backup,
  backups,
  verify,
  restore,
  drill,
  reboot,
  shutdown,
  startserver,
  status,
  audit,
  help(() => commands),
  language,
  whoami,
  start,
]);

function unique(all: readonly Command[]): readonly Command[] {
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) throw new AppError("internal", `two commands are called /${name}`);
    names.add(name);
  }
  return all;
}
