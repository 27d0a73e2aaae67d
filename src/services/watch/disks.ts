import { stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Severity } from "../../core/signal.ts";
import { processIdentity } from "../../lib/process-identity.ts";
import type { Disk, Presence, Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { type Finding, lastSign, type WatchCheck } from "./types.ts";

const gib = 2 ** 30;

/** Below both of these there is too little; it is enough again at more of either. */
const low = { share: 0.05, bytes: 2 * gib, enoughShare: 0.06, enoughBytes: 2.5 * gib } as const;
/** Below this share as well it is urgent. */
const urgent = { share: 0.01, enoughShare: 0.015 } as const;

/** Of a host that nobody has heard of for so long, nobody can say any more how full its disks are; milliseconds. */
const goneAfterMs = 15 * 60_000;

/** How serious it is that a disk has so little room; undefined when it has enough. `was`: what it is said to be now. */
export function diskSeverity({ free, total }: Pick<Disk, "free" | "total">, was?: Severity): Severity | undefined {
  if (total <= 0) return undefined;
  const share = free / total;
  const isLow =
    was === undefined ? share < low.share && free < low.bytes : share < low.enoughShare && free < low.enoughBytes;
  if (!isLow) return undefined;
  return share < (was === "critical" ? urgent.enoughShare : urgent.share) ? "critical" : "warning";
}

/**
 * Which disks of living processes are too full. What several processes report of one disk is one finding, whatever they
 * call their host: that which is open already, else a worker's. Of a host without a living process nothing is known: what
 * was found there stays, unless the host is one of `gone`.
 */
export function lowDisks(
  presences: readonly Pick<Presence, "host" | "disks" | "role">[],
  open: ReadonlyMap<string, Finding>,
  gone: ReadonlySet<string> = new Set(),
): Finding[] {
  const found = new Map<string, Finding>();
  const looked = new Set<string>();
  const all = presences.flatMap(({ host, role, disks = [] }) =>
    disks.map((disk) => ({ host, role, disk, fingerprint: `disk:${host}:${disk.device}` })),
  );
  const rank = ({ fingerprint, role }: (typeof all)[number]): number =>
    (open.has(fingerprint) ? 0 : 2) + (role === "worker" ? 0 : 1);
  for (const { host, disk, fingerprint } of all.toSorted((a, b) => rank(a) - rank(b))) {
    const name = `${disk.machine ?? host}:${disk.device}`;
    if (looked.has(name)) continue;
    looked.add(name);
    const known = open.get(fingerprint);
    const severity = diskSeverity(disk, known?.severity);
    if (!severity) continue;
    // Free bytes change at every look, which is no news.
    if (known?.severity === severity) found.set(fingerprint, known);
    else found.set(fingerprint, finding(fingerprint, severity, host, disk));
  }
  const alive = new Set(presences.map(({ host }) => host));
  for (const [fingerprint, known] of open) {
    const host = hostOf(known);
    if (!alive.has(host) && !gone.has(host)) found.set(fingerprint, known);
  }
  return [...found.values()];
}

function hostOf({ labels }: Finding): string {
  return labels?.["host"] ?? "";
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
export function disksCheck({
  presences,
  watchState,
}: {
  readonly presences: Presences;
  readonly watchState: WatchState;
}): WatchCheck {
  const gone = new Set<string>();
  return {
    name: "disks",
    everyMs: 15_000,
    look: async ({ now, awakeSince, open }) => {
      const alive = await presences.alive(now, presenceWithinMs);
      const hosts = Map.groupBy(alive, ({ host }) => host);
      for (const [host, its] of hosts) {
        const sign = lastSign(its);
        if (sign) await watchState.see(`disks@${host}`, sign);
      }
      gone.clear();
      for (const host of new Set([...open.values()].map(hostOf))) {
        const seen = Math.max((await watchState.seen(`disks@${host}`)).getTime(), awakeSince.getTime());
        if (!hosts.has(host) && now.getTime() - seen >= goneAfterMs) gone.add(host);
      }
      return lowDisks(alive, open, gone);
    },
    over: (finding) => {
      const host = hostOf(finding);
      return gone.has(host) ? { key: "watch-disk-unknown", args: { host, minutes: goneAfterMs / 60_000 } } : undefined;
    },
  };
}

/** The disks on which these folders are, each disk once; of a folder that is not there yet, the nearest one above it. */
export async function readDisks(folders: readonly string[]): Promise<Disk[]> {
  const disks = new Map<string, Disk>();
  // That of its last boot: the same for all containers of a machine. "-": it cannot be told.
  const [machine = "-"] = processIdentity().split("/", 1);
  for (const folder of folders) {
    const path = await existing(resolve(folder));
    const [{ bsize, bavail, blocks }, { dev }] = await Promise.all([statfs(path), stat(path)]);
    const device = String(dev);
    if (!disks.has(device))
      disks.set(device, {
        path: resolve(folder),
        device,
        ...(machine === "-" ? {} : { machine }),
        free: bavail * bsize,
        total: blocks * bsize,
      });
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
