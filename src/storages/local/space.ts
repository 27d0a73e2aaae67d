import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../core/errors.ts";
import { isMissing } from "./errors.ts";
import type { LocalConfig } from "./schema.ts";

const gibibyte = 1024 ** 3;

/** A disk as one who writes without special rights sees it; bytes. */
export interface DiskSpace {
  readonly free: number;
  readonly size: number;
}

/**
 * What stays free unless told otherwise: a twentieth of the disk and at most 1 GiB. So much lets a database on the same
 * disk go on (a checkpoint's log files, a rewritten append-only file) until somebody has read the alarm, and is no
 * hindrance on a large disk that is well filled.
 */
const defaultReserve = ({ size }: DiskSpace): number => Math.min(size / 20, gibibyte);

/** Space at a path, or where it would be made. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize, blocks } = await statfs(folder);
      return { free: bavail * bsize, size: blocks * bsize };
    } catch (error) {
      if (!isMissing(error) || folder === dirname(folder)) throw error;
    }
  }
}

/** Looks that a part of the disk stays free. */
export class SpaceGuard {
  readonly #storage: string;
  readonly #minFree: LocalConfig["minFree"];
  readonly #look: (path: string) => Promise<DiskSpace>;

  constructor(storage: string, minFree: LocalConfig["minFree"], look = diskSpace) {
    this.#storage = storage;
    this.#minFree = minFree;
    this.#look = look;
  }

  /**
   * Before so many bytes are written. @throws AppError `storage-full` when they would take what stays free.
   */
  async requireRoom(path: string, needed: number): Promise<void> {
    const space = await this.#look(path);
    const reserve = this.#reserve(space);
    if (space.free - needed >= reserve) return;
    const args = { storage: this.#storage, path, ...inWords({ needed, free: space.free, reserve }) };
    throw new AppError(
      "storage-full",
      `storage ${this.#storage}: ${args.needed} are needed, ${args.free} are free, and ${args.reserve} stay free (minFree): free space or shorten \`keep\` (${path})`,
      { permanent: false, context: { storage: this.#storage }, text: { key: "error-storage-no-room", args } },
    );
  }

  /** While bytes are written, of any number. @throws AppError `storage-full` when less is free than stays free. */
  async requireReserve(path: string): Promise<void> {
    const space = await this.#look(path);
    const reserve = this.#reserve(space);
    if (space.free >= reserve) return;
    const args = { storage: this.#storage, path, ...inWords({ free: space.free, reserve }) };
    throw new AppError(
      "storage-full",
      `storage ${this.#storage}: only ${args.free} are free, and ${args.reserve} stay free (minFree): free space or shorten \`keep\` (${path})`,
      { permanent: false, context: { storage: this.#storage }, text: { key: "error-storage-room-gone", args } },
    );
  }

  #reserve(space: DiskSpace): number {
    if (this.#minFree === undefined) return defaultReserve(space);
    return "bytes" in this.#minFree ? this.#minFree.bytes : (space.size * this.#minFree.percent) / 100;
  }
}

/** Numbers of bytes as anybody reads them. */
function inWords<K extends string>(bytes: Record<K, number>): Record<K, string> {
  const entries = Object.entries<number>(bytes).map(([name, value]) => [name, `${(value / gibibyte).toFixed(2)} GiB`]);
  return Object.fromEntries(entries) as Record<K, string>;
}
