import { z } from "zod";

/** Names of variables whose values are secrets, also when they stand in the configuration as they are. */
const secretName = /pass|pwd|secret|token|key|auth|credential/i;

/** A URL with a password in it: in argv every user of the machine could read it. */
const urlWithPassword = /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:[^\s@/]+@/i;

/** Names that a backup has for itself, and endings that say how a part is stored. */
const reserved = /^(?:manifest|proof|pin)\.json$|\.(?:zst|age)$/;

const argv = z.array(z.string()).min(1);

export const commandSchema = z
  .strictObject({
    kind: z.literal("command"),
    argv: argv.describe(
      "Program and arguments whose standard output is the backup. No shell, and no secrets: see env.",
    ),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .default({})
      .describe(
        "Variables for the programs: the place for passwords. Of Vakhta's own they get none but PATH and HOME.",
      ),
    cwd: z
      .string()
      .startsWith("/", { error: "config-problem-absolute-path" })
      .optional()
      .describe("Folder in which the program starts."),
    compress: z
      .enum(["zstd", "none"])
      .default("zstd")
      .describe("none: for a program that compresses by itself; .zst is added to the file's name for zstd."),
    level: z.int().min(1).max(19).default(3).describe("zstd compression level, 1 (fast) to 19 (small)."),
    file: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error: "config-problem-command-file" })
      .refine((name) => !reserved.test(name), { error: "config-problem-command-file" })
      .default("artifact.bin")
      .describe("Name of the file: dump.sql."),
    allowEmpty: z.boolean().default(false).describe("An output without a single byte is a backup too."),
    check: argv
      .optional()
      .describe("Reads the backup from its standard input to the end and exits with 0 when it is sound: [gzip, -t]."),
    restore: argv
      .optional()
      .describe(
        "Restores the backup from its standard input; where to is in VAKHTA_RESTORE_TO. Default: it is written as a file.",
      ),
    testRestore: argv
      .optional()
      .describe("Restores the backup from its standard input into the empty folder VAKHTA_SCRATCH, and compares."),
  })
  .superRefine((config, context) => {
    const secrets = secretsOf(config.env);
    for (const name of ["argv", "check", "restore", "testRestore"] as const) {
      for (const [index, argument] of (config[name] ?? []).entries()) {
        if (!urlWithPassword.test(argument) && !secrets.some((secret) => argument.includes(secret))) continue;
        context.addIssue({ code: "custom", path: [name, index], message: "config-problem-command-secret" });
      }
    }
  })
  .describe("Any program whose standard output is a backup.");

export type CommandConfig = z.output<typeof commandSchema>;

/** Values of variables that are secrets by their names, and long enough to be told from ordinary words. */
export function secretsOf(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (secretName.test(name) && value.length >= 6 ? [value] : []));
}
