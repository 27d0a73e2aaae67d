import { z } from "zod";
import { setNames } from "./sets.ts";

/** A path as tar is given it: absolute, without what would make two names of one thing, nor lines of its own. */
const path = z
  .string()
  .startsWith("/", { error: "config-problem-absolute-path" })
  .refine((value) => !/\p{Cc}|(?:^|\/)\.{1,2}(?:\/|$)|\/\//u.test(value), { error: "config-problem-files-path" })
  .transform((value) => value.replace(/(?<=.)\/$/, ""));

const common = {
  exclude: z
    .array(
      z
        .string()
        .min(1)
        .regex(/^\P{Cc}+$/u, { error: "config-problem-files-path" }),
    )
    .default([])
    .describe(
      "What is left out, as patterns of GNU tar: *.log anywhere, /srv/app/cache at this place. A * matches slashes too.",
    ),
  oneFileSystem: z.boolean().default(false).describe("Do not follow mounts to other file systems."),
  followSymlinks: z.boolean().default(false).describe("Read what symbolic links point to in place of the links."),
  unreadable: z
    .enum(["fail", "note"])
    .default("fail")
    .describe("note: what the worker may not read is named in the report, and the rest is a good backup."),
  level: z.int().min(1).max(19).default(3).describe("zstd compression level, 1 (fast) to 19 (small)."),
};

export const filesSchema = z
  .strictObject({
    kind: z.literal("files"),
    paths: z.array(path).min(1).describe("Files and folders, absolute. Each of them must exist."),
    ...common,
    via: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("Runs tar inside a container or pod: [docker, exec, -i, app] or [kubectl, exec, -i, app-0, --]"),
  })
  .describe("Files and folders with owners, modes, links and attributes.");

export const configSchema = z
  .strictObject({
    kind: z.literal("config"),
    sets: z.array(z.enum(setNames)).default([]).describe("Ready-made lists of paths; what a machine lacks is said."),
    paths: z.array(path).default([]).describe("Further files and folders, absolute. Each of them must exist."),
    ...common,
  })
  .refine(({ sets, paths }) => sets.length + paths.length > 0, { error: "config-problem-config-nothing" })
  .describe("Settings of a machine. There are secrets among them: only encrypted.");

export type FilesConfig = z.output<typeof filesSchema>;

/** Of both kinds. */
export interface TreeConfig extends Omit<FilesConfig, "kind"> {
  readonly kind: "files" | "config";
  readonly sets?: readonly (typeof setNames)[number][];
}
