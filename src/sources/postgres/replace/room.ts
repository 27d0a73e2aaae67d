import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ManifestPart } from "../../../core/manifest.ts";
import { quoteLiteral } from "../names.ts";
import type { Site } from "../site.ts";
import { askJson } from "./ground.ts";

const placeSchema = z.object({
  folder: z.string().nullable(),
  data: z.string().nullable(),
  socket: z.boolean(),
  started: z.number(),
});

/**
 * Free bytes where a database lies; undefined where that is another machine's disk, or may be: by TCP only a server whose
 * own file in its folder says that it is the one that answers is this machine's.
 */
export async function freeOnServer(site: Site, database: string): Promise<number | undefined> {
  const question = `SELECT json_build_object('socket', inet_server_addr() IS NULL,
  'started', extract(epoch FROM pg_postmaster_start_time()), 'data', s.setting,
  'folder', coalesce(nullif(pg_tablespace_location(d.dattablespace), ''), s.setting))
FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_settings s ON s.name = 'data_directory'
WHERE d.datname = ${quoteLiteral(database)}`;
  const [place] = await askJson(site, undefined, question, (value) => placeSchema.parse(value));
  if (place === undefined || place.folder === null || place.data === null) return undefined;
  try {
    if (!place.socket) {
      const [, , started = ""] = (await readFile(join(place.data, "postmaster.pid"), "utf8")).split("\n");
      if (Math.abs(Number.parseInt(started, 10) - place.started) > 2) return undefined;
    }
    const disk = await statfs(place.folder);
    return disk.bavail * disk.bsize;
  } catch {
    return undefined;
  }
}

/**
 * Bytes that the restored database will take: at least what was read of it. What is live has indexes too, and may be
 * bloated, or have lost what is to be brought back.
 */
export function neededBytes(part: Pick<ManifestPart, "rawBytes">, liveBytes: number): number {
  const { rawBytes = liveBytes } = part;
  return Math.max(rawBytes, Math.min(liveBytes, 2 * rawBytes));
}
