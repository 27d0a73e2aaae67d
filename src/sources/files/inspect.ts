import { AppError } from "../../core/errors.ts";
import type { Text } from "../../core/text.ts";
import { run } from "../../lib/process.ts";
import type { SourceInfo } from "../types.ts";
import { zstdCommand } from "../zstd.ts";
import { lookAtRoots, type Roots, rootList } from "./look.ts";
import type { TreeConfig } from "./schema.ts";
import { type Attributes, placed } from "./tar.ts";

/** How long the size is looked for; milliseconds. */
const estimateMs = 3000;
/** How many paths a title names. */
const named = 3;

export interface Inspection {
  readonly info: SourceInfo;
  readonly roots: Roots;
  readonly attributes: Attributes;
}

/**
 * Looks at the paths and the programs; how much there is to be read only when nobody knows from the last time, since
 * that is a walk through everything. Fails with `config`, `tool-missing` or `tool-too-old`.
 */
export async function inspectTree(
  config: TreeConfig,
  signal: AbortSignal,
  formerRawBytes?: number,
): Promise<Inspection> {
  const [tar, zstd, attributes] = await Promise.all([
    tarVersion(config, signal),
    run({ ...zstdCommand(1), argv: ["zstd", "--version"] }, { signal }),
    knownAttributes(config, signal),
  ]);
  const roots = await lookAtRoots(config, signal);
  const expectedRawBytes = formerRawBytes ?? (await estimate(config, roots.paths, signal));
  const { paths, absent } = roots;
  const list = paths.length > named ? `${paths.slice(0, named).join(", ")}, …` : paths.join(", ");
  const sets = config.sets ?? [];
  const info: SourceInfo = {
    title: title(config, list, absent),
    facts: {
      tar,
      zstd: /\d+\.\d+\.\d+/.exec(zstd.stdout)?.[0] ?? "",
      paths: paths.join(", "),
      attributes: attributes.map((option) => option.slice(2)).join(", "),
      ...(sets.length === 0 ? {} : { sets: sets.join(", ") }),
      ...(absent.length === 0 ? {} : { absentSets: absent.join(", ") }),
      ...(config.exclude.length === 0 ? {} : { exclude: JSON.stringify(config.exclude) }),
    },
    ...(expectedRawBytes === undefined ? {} : { expectedRawBytes }),
  };
  return { info, roots, attributes };
}

function title(config: TreeConfig, paths: string, absent: readonly string[]): Text {
  if (config.kind === "files") return { key: "source-title-files", args: { paths } };
  const sets = (config.sets ?? []).filter((name) => !absent.includes(name));
  const what = sets.length === 0 ? paths : [...sets, ...config.paths.slice(0, named)].join(", ");
  if (absent.length === 0) return { key: "source-title-config", args: { what } };
  return { key: "source-title-config-absent", args: { what, absent: absent.join(", ") } };
}

/** Of GNU tar; others do not tell what they have left out, or store less. */
async function tarVersion({ via }: TreeConfig, signal: AbortSignal): Promise<string> {
  const { stdout } = await run(placed(via, ["tar", "--version"]), { signal });
  const [, version, major, minor] = /^tar \(GNU tar\) ((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  if (version === undefined || Number(major) < 1 || (Number(major) === 1 && Number(minor) < 29)) {
    const found = version ?? stdout.split("\n", 1)[0] ?? "";
    throw new AppError("tool-too-old", `GNU tar 1.29 or newer is needed, not ${found}: apt-get install tar`, {
      context: { step: "tar", tool: "tar" },
      text: { key: "error-files-tar", args: { found } },
    });
  }
  return version;
}

/** This tar may have been built without the one or the other. */
async function knownAttributes({ via }: TreeConfig, signal: AbortSignal): Promise<Attributes> {
  const argv = ["tar", "--create", "--file=/dev/null", "--xattrs", "--acls", "--files-from=/dev/null"];
  const { stderr } = await run({ ...placed(via, argv), accepts: () => true }, { signal });
  const options: Attributes = ["--xattrs", "--acls"];
  return options.filter((option) => !new RegExp(`${option.slice(2, -1)}.*not`, "i").test(stderr));
}

/** Apparent size of everything, exclusions not looked at; undefined when it is not known soon. */
async function estimate(
  { via, oneFileSystem, followSymlinks }: TreeConfig,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const options = ["--apparent-size", "--block-size=1", "--summarize", "--total"];
  if (oneFileSystem) options.push("--one-file-system");
  if (followSymlinks) options.push("--dereference");
  const argv = ["sh", "-c", 'cd / && exec "$@"', "sh", "du", ...options, "--files0-from=-"];
  const command = { ...placed(via, argv, "du"), accepts: () => true };
  try {
    const { stdout } = await run(command, { signal, input: rootList(paths), timeoutMs: estimateMs });
    const total = /^(\d+)\ttotal$/m.exec(stdout)?.[1];
    return total === undefined ? undefined : Number(total);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
