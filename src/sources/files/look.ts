import { AppError } from "../../core/errors.ts";
import { run } from "../../lib/process.ts";
import type { TreeConfig } from "./schema.ts";
import { expandSet, type SetName } from "./sets.ts";
import { memberName, placed } from "./tar.ts";

/** What is to be read. */
export interface Roots {
  /** Absolute paths, none below another one. */
  readonly paths: readonly string[];
  /** Sets of which nothing is there. */
  readonly absent: readonly SetName[];
  /** Folders in which something of the sets may be, and into which this user cannot look. */
  readonly closed: readonly string[];
}

/**
 * For each path a line that ends with a zero byte, since a name may have lines: what is wrong with it, or whether it is
 * a link, its device and where it really is.
 */
const script = `for path do
  if [ ! -e "$path" ]; then
    if [ -L "$path" ]; then echo "dangling $(stat -c %d -- "$path") -"; else echo missing; fi
  elif [ ! -r "$path" ] || { [ -d "$path" ] && [ ! -x "$path" ]; }; then echo unreadable
  else
    kind=plain; if [ -L "$path" ]; then kind=link; fi
    printf '%s %s ' "$kind" "$(stat -L -c %d -- "$path")"
    readlink -f -- "$path"
  fi
  printf '\\0'
done`;

/**
 * Looks at the paths of a source. Fails with `source-failed` for one that is missing (its disk may not be mounted), and
 * with `config` for one that cannot be read, and for a set of which some may be where this user cannot look.
 */
export async function lookAtRoots(config: TreeConfig, signal: AbortSignal, expand = expandSet): Promise<Roots> {
  const sets = (config.sets ?? []).map((name) => ({ name, ...expand(name) }));
  const paths = [...new Set([...config.paths, ...sets.flatMap((set) => set.paths)])];
  const closed = [...new Set(sets.flatMap((set) => set.closed))];
  if (closed[0] !== undefined && (config.unreadable === "fail" || paths.length === 0))
    throw refused(closed[0], "unreadable");
  const absent = sets.filter((set) => set.paths.length + set.closed.length === 0).map(({ name }) => name);
  if (paths.length === 0) {
    throw new AppError("config", `nothing of these sets is on this machine: ${absent.join(", ")}`, {
      context: { step: "preflight" },
      text: { key: "error-config-absent", args: { sets: absent.join(", ") } },
    });
  }
  const { stdout } = await run(placed(config.via, ["sh", "-c", script, "sh", ...paths]), { signal });
  const answers = stdout.split("\n\0");
  const devices = new Map<string, string>();
  for (const [index, path] of paths.entries()) {
    const answer = answers[index] ?? "missing";
    const [, kind, device = "", target = path] = /^(plain|link|dangling) (\d+) (.+)$/s.exec(answer) ?? [];
    if (kind === undefined && (answer !== "unreadable" || config.unreadable === "fail")) throw refused(path, answer);
    // Of what a set finds such a link is part; a path that was asked for is meant to lead somewhere.
    if (kind === "dangling" && config.paths.includes(path)) throw refused(path, answer);
    devices.set(path, device);
    // A link alone would be an empty backup of what it stands for.
    if (kind === "link" && !config.followSymlinks) devices.set(target, device);
  }
  return { paths: outermost(devices, config.oneFileSystem), absent, closed };
}

/** Without what lies below another path and is read with it: tar would store it twice. */
function outermost(devices: ReadonlyMap<string, string>, oneFileSystem: boolean): string[] {
  return [...devices.keys()].filter((path) => {
    for (const [other, device] of devices) {
      const isBelow = other !== path && path.startsWith(other === "/" ? other : `${other}/`);
      if (isBelow && !(oneFileSystem && device !== devices.get(path))) return false;
    }
    return true;
  });
}

function refused(path: string, answer: string): AppError {
  const options = (key: string) => ({ context: { step: "preflight" }, text: { key, args: { path } } });
  return answer === "unreadable"
    ? new AppError("config", `${path} cannot be read by this user`, options("error-files-no-access"))
    : new AppError("source-failed", `${path} does not exist`, options("error-files-missing"));
}

/** The paths as tar and du take them from their input. */
export function rootList(paths: readonly string[]): Buffer {
  return Buffer.from(paths.map((path) => `${memberName(path)}\0`).join(""));
}
