import type { ServerDisk, ServerFacts, ServerStatus } from "../../core/server.ts";
import type { TimewebServer } from "../../lib/clients/timeweb-schema.ts";

/** Timeweb counts memory and disks in MB of 1024 KB each. */
export const kilobyte = 1024;
export const megabyte = 1024 * kilobyte;

const statuses = new Map<string, ServerStatus>([
  ["on", "on"],
  ["off", "off"],
  ["turning_on", "starting"],
  ["turning_off", "stopping"],
  ["hard_turning_off", "stopping"],
  ["rebooting", "rebooting"],
  ["hard_rebooting", "rebooting"],
  ["installing", "busy"],
  ["software_install", "busy"],
  ["reinstalling", "busy"],
  ["cloning", "busy"],
  ["transfer", "busy"],
  ["configuring", "busy"],
  ["blocked", "blocked"],
  ["no_paid", "blocked"],
  ["permanent_blocked", "blocked"],
  ["removing", "removed"],
  ["removed", "removed"],
]);

/** What a word of theirs means; one that this version does not know is `unknown`. */
export function statusOf(word: string | undefined): ServerStatus {
  return statuses.get(word ?? "") ?? "unknown";
}

/** What is known of a server beside measurements. */
export function factsOf(server: TimewebServer): ServerFacts {
  return {
    providerName: server.name,
    status: statusOf(server.status),
    statusWord: server.status,
    os: [server.os?.name, server.os?.version].filter((part) => part !== undefined).join(" ") || undefined,
    cores: server.cpu,
    memory: server.ram === undefined ? undefined : server.ram * megabyte,
    disks: server.disks.flatMap((disk) => diskOf(disk) ?? []),
    addresses: addressesOf(server),
    location: server.availability_zone ?? server.location,
  };
}

function diskOf({ id, size, used, is_system }: TimewebServer["disks"][number]): ServerDisk | undefined {
  if (size === undefined || size <= 0) return undefined;
  const usedBytes = used === undefined || used < 0 ? undefined : Math.min(used, size) * megabyte;
  return { id, bytes: size * megabyte, usedBytes, isSystem: is_system ?? false };
}

/** Public ones first, of these the main one, and IPv4 before IPv6. */
function addressesOf({ networks }: TimewebServer): string[] {
  const all = networks.flatMap(({ type, ips }) =>
    ips.map(({ type: family, ip, is_main }) => {
      const isPublic = type === undefined || type === "public";
      return { ip, order: (isPublic ? 0 : 4) + (is_main ? 0 : 2) + (family === "ipv6" ? 1 : 0) };
    }),
  );
  return [...new Set(all.toSorted((a, b) => a.order - b.order).map(({ ip }) => ip))];
}
