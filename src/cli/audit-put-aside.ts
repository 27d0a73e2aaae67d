import { systemClock } from "../app/clock.ts";
import { userName } from "../services/audit/notes.ts";
import { foreignHeads, putHeadsAside } from "../services/audit/put-aside.ts";
import type { Storage } from "../storages/types.ts";
import { openAudit } from "./audit-redis.ts";
import { confirmByName } from "./confirm.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface AuditPutAsideOptions extends Pick<PlaceOptions, "path"> {
  readonly yes?: boolean;
}

/** What is typed. */
const word = "audit";

/**
 * `vakhta audit put-aside`: the heads of former logs in the storages do not speak against the present one any more, which is
 * on record in it. For a log that was begun anew because Redis was lost.
 */
export async function auditPutAside(terminal: Terminal, options: AuditPutAsideOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, { ...options, requires: ["redis", "storages"] });
    own = place.terminal;
    await putAside(place, options.yes ?? false);
    return exitCodes.ok;
  } catch (error) {
    return reportError(error, own);
  }
}

async function putAside({ terminal, storages, config, host }: Place, yes: boolean): Promise<void> {
  if (!config) throw new UsageError("error-audit-redis");
  const { signal } = terminal;
  await using opened = await openAudit(config);
  const { audit } = opened;
  const chain = (await audit.head())?.chain ?? "";
  const found: { storage: Storage; dates: string[] }[] = [];
  for (const storage of storages) {
    const dates = await foreignHeads(storage, chain, signal);
    if (dates.length > 0) found.push({ storage, dates });
  }
  if (found.length === 0) {
    terminal.say("cli-audit-aside-none");
    return;
  }
  for (const { storage, dates } of found)
    terminal.complain("cli-audit-aside-found", {
      storage: storage.name,
      count: dates.length,
      first: dates[0] ?? "",
      last: dates.at(-1) ?? "",
    });
  if (!yes) await confirmByName(terminal, "cli-audit-aside-type", word);
  const now = systemClock.now();
  const names = found.map(({ storage }) => storage.name).join(", ");
  const details = { user: userName(), storages: names };
  // First: whoever reads the log learns of it even if it is cut off in the middle.
  await audit.append({ at: now.toISOString(), about: "cli", what: "heads-put-aside", host, details });
  for (const { storage, dates } of found) {
    await putHeadsAside(storage, dates, now.toISOString().slice(0, 10), signal);
    terminal.say("cli-audit-aside-done", { storage: storage.name, count: dates.length });
  }
}
