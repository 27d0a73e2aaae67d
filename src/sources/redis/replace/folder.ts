import { access, constants, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import { snapshotFile } from "../server.ts";

const stateSchema = z.object({
  /** What was counted in the snapshot that is here: "db0=5 db3=1". */
  prepared: z.object({ keys: z.string(), highest: z.int() }).optional(),
  /** How the live server was right after the swap. */
  swapped: z
    .object({ runId: z.string(), keys: z.string(), expired: z.number(), writes: z.number().optional() })
    .optional(),
});

export type FolderState = z.output<typeof stateSchema>;

/**
 * Where the snapshots of one replacement lie until it is over, on a disk rather than in memory, so that a swap that was cut
 * off can be finished. Only this user may look into it.
 */
export class WorkFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async of(id: string): Promise<WorkFolder> {
    const lasting = await access("/var/tmp", constants.W_OK | constants.X_OK).then(
      () => "/var/tmp",
      () => tmpdir(),
    );
    return new WorkFolder(join(lasting, `vakhta-replace-redis-${id}`));
  }

  async isThere(): Promise<boolean> {
    const found = await lstat(this.path).catch(() => undefined);
    return found?.isDirectory() === true && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
  }

  /** Makes it where it is not there. Rejects with `conflict` where that name is somebody else's. */
  async make(): Promise<void> {
    await mkdir(this.path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST" && (await this.isThere())) return;
      throw new AppError("conflict", `${this.path} can not be made (${error.code}), or is not this program's`, {
        context: { step: "preflight" },
        text: { key: "error-replace-redis-folder", args: { path: this.path, code: error.code ?? "" } },
        cause: error,
      });
    });
  }

  /** A folder in it for one snapshot, made anew or as it is. */
  async inner(what: "backup" | "former", anew: boolean): Promise<string> {
    const path = join(this.path, what);
    if (anew) await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  async hasSnapshot(what: "backup" | "former"): Promise<boolean> {
    return (await lstat(join(this.path, what, snapshotFile)).catch(() => undefined))?.isFile() === true;
  }

  async state(): Promise<FolderState> {
    if (!(await this.isThere())) return {};
    const text = await readFile(join(this.path, "state.json"), "utf8").catch(() => "{}");
    return stateSchema.parse(JSON.parse(text));
  }

  async write(state: FolderState): Promise<void> {
    const file = join(this.path, "state.json");
    await using handle = await open(`${file}.new`, "w", 0o600);
    await handle.writeFile(JSON.stringify(state));
    await handle.sync();
    await rename(`${file}.new`, file);
  }

  async remove(): Promise<void> {
    if (await this.isThere()) await rm(this.path, { recursive: true, force: true });
  }
}
