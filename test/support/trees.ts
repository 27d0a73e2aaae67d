import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { BackupReader, RestoreTarget, Scratch, Source, SourceSession } from "../../src/sources/types.ts";
import { quiet, sourceOf } from "./backup.ts";
import { readerOf, type TakenPart, takeParts } from "./parts.ts";

/** Runs a shell script in a folder; names may consist of any bytes there. Fails with what it complains of. */
export function shell(cwd: string, script: string): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-euc", script], { cwd, encoding: "latin1" });
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/** What is below a folder, byte for byte: names, kinds, modes, owners, times, links, sizes and contents. */
export function fingerprint(folder: string): string {
  const what = shell(
    folder,
    `find . -printf '%P|%y|%m|%U:%G|%n|%l|' \\( -type f -printf '%T@|%s' \\) -printf '\\n' | sort
     find . -type f -print0 | sort -z | xargs -0r sha256sum -z`,
  );
  return what.length > 100_000 ? createHash("sha256").update(what).digest("hex") : what;
}

export async function backUp(config: object): Promise<{ reader: BackupReader; session: SourceSession }> {
  const { source, sessions } = watched(sourceOf({ kind: "files", ...config }));
  const parts: TakenPart[] = await takeParts(source);
  const [session] = sessions;
  if (session === undefined) throw new Error("not opened");
  return { reader: readerOf("files", parts), session };
}

/** The source, and the sessions that were opened of it. */
function watched(source: Source): { source: Source; sessions: SourceSession[] } {
  const sessions: SourceSession[] = [];
  const open: Source["open"] = async (signal, options) => {
    const session = await source.open(signal, options);
    sessions.push(session);
    return session;
  };
  return {
    source: { kind: source.kind, counts: source.counts, inspect: (signal) => source.inspect(signal), open },
    sessions,
  };
}

const { signal } = new AbortController();
export const into = (to: string): RestoreTarget => ({ to, signal, logger: quiet });
export const scratchIn = (folder: string): Scratch => ({ folder, id: "vakhta_verify_1", signal, logger: quiet });
