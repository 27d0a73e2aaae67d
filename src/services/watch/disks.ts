import { stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Severity } from "../../core/signal.ts";
import type { Disk, Presence, Presences } from "../../state/presence.ts";
import { presenceWithinMs } from "../status.ts";
import type { Finding, WatchCheck } from "./types.ts";

const gib = 2 ** 30;

/** Below both of these there is too little; it is enough again at more of either. */
const low = { share: 0.05, bytes: 2 * gib, enoughShare: 0.06, enoughBytes: 2.5 * gib } as const;
/** Below this share as well it is urgent. */
const urgent = { share: 0.01, enoughShare: 0.015 } as const;

/** How serious it is that a disk has so little room; undefined when it has enough. `was`: what it is said to be now. */
export function diskSeverity({ free, total }: Pick<Disk, "free" | "total">, was?: Severity): Severity | undefined {
  if (total <= 0) return undefined;
  const share = free / total;
  const isLow =
    was === undefined ? share < low.share && free < low.bytes : share < low.enoughShare && free < low.enoughBytes;
  if (!isLow) return undefined;
  return share < (was === "critical" ? urgent.enoughShare : urgent.share) ? "critical" : "warning";
}

/** Which disks of living processes are too full; what several processes of a host report is one disk. */
export function lowDisks(
  presences: readonly Pick<Presence, "host" | "disks">[],
  open: ReadonlyMap<string, Finding>,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const { host, disks = [] } of presences) {
    for (const disk of disks) {
      const fingerprint = `disk:${host}:${disk.device}`;
      const known = open.get(fingerprint);
      const severity = diskSeverity(disk, known?.severity);
      if (!severity || found.has(fingerprint)) continue;
      // Free bytes change at every look, which is no news.
      if (known?.severity === severity) found.set(fingerprint, known);
      else found.set(fingerprint, finding(fingerprint, severity, host, disk));
    }
  }
  // Of a host without a living process nothing is known.
  const hosts = new Set(presences.map(({ host }) => host));
  for (const [fingerprint, known] of open) if (!hosts.has(known.labels?.["host"] ?? "")) found.set(fingerprint, known);
  return [...found.values()];
}

function finding(fingerprint: string, severity: Severity, host: string, { path, free, total }: Disk): Finding {
  const percent = Math.floor((free / total) * 1000) / 10;
  return {
    fingerprint,
    severity,
    title: { key: "watch-disk", args: { host, path } },
    text: { key: "watch-disk-text", args: { percent, mebibytes: Math.round(free / 2 ** 20) } },
    labels: { host, path },
  };
}

/** Whether there is room on the disks of every process. */
export function disksCheck({ presences }: { readonly presences: Presences }): WatchCheck {
  return {
    name: "disks",
    everyMs: 15_000,
    look: async ({ now, open }) => lowDisks(await presences.alive(now, presenceWithinMs), open),
  };
}

/** The disks on which these folders are, each disk once; of a folder that is not there yet, the nearest one above it. */
export async function readDisks(folders: readonly string[]): Promise<Disk[]> {
  const disks = new Map<string, Disk>();
  for (const folder of folders) {
    const path = await existing(resolve(folder));
    const [{ bsize, bavail, blocks }, { dev }] = await Promise.all([statfs(path), stat(path)]);
    const device = String(dev);
    if (!disks.has(device))
      disks.set(device, { path: resolve(folder), device, free: bavail * bsize, total: blocks * bsize });
  }
  return [...disks.values()];
}

async function existing(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (dirname(path) === path) throw error;
    return await existing(dirname(path));
  }
}
