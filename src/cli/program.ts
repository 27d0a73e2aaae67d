import { Command, CommanderError, type Help } from "commander";
import type { PlaceOptions } from "./place.ts";
import type { RestoreOptions } from "./restore.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** Parses the arguments and runs one command; gives the exit status. What a command needs is loaded only for that. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let status: number = exitCodes.ok;
  const program = createProgram(terminal, (result) => {
    status = result;
  });
  try {
    await program.parseAsync(argv);
    return status;
  } catch (error) {
    const json = argv.includes("--json");
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      const { message } = error;
      if (json) terminal.out(JSON.stringify({ error: { code: "usage", message } }, undefined, 2));
      return exitCodes.usage;
    }
    const { reportError } = await import("./report.ts");
    return reportError(error, terminal, { json });
  }
}

/** Options of every command that works with storages. */
interface PlaceArguments {
  readonly storage?: string[];
  readonly identity?: string;
  readonly json?: boolean;
}

type RestoreArguments = Omit<RestoreOptions, keyof PlaceOptions | "json">;

interface PruneArguments {
  readonly dryRun?: boolean;
  readonly keep?: string;
  readonly yes?: boolean;
}

type Finish = (status: number) => void;

/** What `--config` says, from wherever it stands. */
const configOption = (command: Command): { path?: string } => {
  const { config } = command.optsWithGlobals<{ config?: string }>();
  return config === undefined ? {} : { path: config };
};

/** The commands with their options; `finish` is given the exit status. */
export function createProgram(terminal: Terminal, finish: Finish): Command {
  const text = (key: string) => terminal.messages.plain(key);
  const several = (value: string, before: readonly string[] = []): string[] => [...before, value];
  /** Storages by name or address, and the result as JSON. */
  const inStorages = (command: Command): Command =>
    command
      .option("--storage <name-or-address>", text("cli-option-storage"), several)
      .option("--json", text("cli-option-json"));
  const program = new Command("vakhta")
    .description(text("cli-description"))
    .option("-c, --config <file>", text("cli-option-config"))
    .helpOption("-h, --help", text("cli-option-help"))
    .helpCommand(false)
    .configureHelp({ styleTitle: (title) => translatedTitle(title, text) } satisfies Partial<Help>)
    .addHelpText("after", `\n${text("cli-help-after")}`)
    .exitOverride();

  program
    .command("init")
    .description(text("cli-init"))
    .option("--api-root <url>", text("cli-init-api-root"))
    .action(async (options: { apiRoot?: string }, command: Command) => {
      const { init } = await import("./init.ts");
      finish(await init(terminal, { ...configOption(command), ...options }));
    });

  const config = program.command("config").description(text("cli-config")).helpCommand(false);
  config
    .command("check")
    .description(text("cli-config-check"))
    .option("-f, --file <file>", text("cli-option-config"))
    .action(async (options: { file?: string }, command: Command) => {
      const { configCheck } = await import("./config-check.ts");
      finish(configCheck(terminal, options.file === undefined ? configOption(command) : { path: options.file }));
    });

  program
    .command("doctor")
    .description(text("cli-doctor"))
    .option("--json", text("cli-option-json"))
    .action(async (options: { json?: boolean }, command: Command) => {
      const { doctor } = await import("./doctor.ts");
      finish(await doctor(terminal, { ...configOption(command), ...options }));
    });

  program
    .command("backup <name>")
    .description(text("cli-backup"))
    .option("--here", text("cli-backup-here"))
    .option("--json", text("cli-option-json"))
    .action(async (name: string, options: { here?: boolean; json?: boolean }, command: Command) => {
      const { backup } = await import("./backup.ts");
      finish(await backup(terminal, name, { ...configOption(command), ...options }));
    });

  inStorages(program.command("backups [name]").description(text("cli-backups"))).action(
    async (name: string | undefined, options: PlaceArguments, command: Command) => {
      const { backups } = await import("./backups.ts");
      finish(await backups(terminal, name, { ...configOption(command), ...options }));
    },
  );

  inStorages(program.command("verify <which>").description(text("cli-verify")))
    .option("--identity <file>", text("cli-option-identity"))
    .option("--depth <depth>", text("cli-verify-depth"))
    .action(async (which: string, options: PlaceArguments & { depth?: string }, command: Command) => {
      const { verify } = await import("./verify.ts");
      finish(await verify(terminal, which, { ...configOption(command), ...options }));
    });

  inStorages(program.command("drill [name]").description(text("cli-drill")))
    .option("--identity <file>", text("cli-option-identity"))
    .action(async (name: string | undefined, options: PlaceArguments, command: Command) => {
      const { drill } = await import("./drill.ts");
      finish(await drill(terminal, name, { ...configOption(command), ...options }));
    });

  inStorages(program.command("restore <which>").description(text("cli-restore")))
    .option("--identity <file>", text("cli-option-identity"))
    .option("--to <place>", text("cli-restore-to"))
    .option("--files", text("cli-restore-files"))
    .option("--database <name>", text("cli-restore-database"))
    .option("--no-owners", text("cli-restore-no-owners"))
    .option("--check", text("cli-restore-check"))
    .option("--no-check", text("cli-restore-no-check"))
    .option("--yes", text("cli-option-yes"))
    .action(async (which: string, options: PlaceArguments & RestoreArguments, command: Command) => {
      const { restore } = await import("./restore.ts");
      finish(await restore(terminal, which, { ...configOption(command), ...options }));
    });

  program
    .command("copy [which]")
    .description(text("cli-copy"))
    .requiredOption("--from <storage>", text("cli-copy-from"))
    .requiredOption("--to <storage>", text("cli-copy-to"))
    .option("--json", text("cli-option-json"))
    .action(
      async (which: string | undefined, options: { from: string; to: string; json?: boolean }, command: Command) => {
        const { copy } = await import("./copy.ts");
        finish(await copy(terminal, which, { ...configOption(command), ...options }));
      },
    );

  inStorages(program.command("prune [name]").description(text("cli-prune")))
    .option("--dry-run", text("cli-prune-dry-run"))
    .option("--keep <policy>", text("cli-prune-keep"))
    .option("--yes", text("cli-option-yes"))
    .action(async (name: string | undefined, options: PlaceArguments & PruneArguments, command: Command) => {
      const { prune } = await import("./prune.ts");
      finish(await prune(terminal, name, { ...configOption(command), ...options }));
    });

  const audit = program.command("audit").description(text("cli-audit")).helpCommand(false);
  inStorages(audit.command("verify").description(text("cli-audit-verify")))
    .option("--file <export>", text("cli-audit-file"))
    .action(async (options: PlaceArguments & { file?: string }, command: Command) => {
      const { auditVerify } = await import("./audit.ts");
      finish(await auditVerify(terminal, { ...configOption(command), ...options }));
    });
  audit
    .command("export")
    .description(text("cli-audit-export"))
    .option("--from <number>", text("cli-audit-from"))
    .option("--to <number>", text("cli-audit-to"))
    .action(async (options: { from?: string; to?: string }, command: Command) => {
      const { auditExport } = await import("./audit-export.ts");
      finish(await auditExport(terminal, { ...configOption(command), ...options }));
    });

  audit
    .command("put-aside")
    .description(text("cli-audit-put-aside"))
    .option("--yes", text("cli-option-yes-word"))
    .action(async (options: { yes?: boolean }, command: Command) => {
      const { auditPutAside } = await import("./audit-put-aside.ts");
      finish(await auditPutAside(terminal, { ...configOption(command), ...options }));
    });

  program
    .command("keygen")
    .description(text("cli-keygen"))
    .action(async () => {
      const { keygen } = await import("./keygen.ts");
      finish(await keygen(terminal));
    });

  return program;
}

/** commander's own headings in the user's language. */
function translatedTitle(title: string, text: (key: string) => string): string {
  switch (title) {
    case "Usage:":
      return text("cli-help-usage");
    case "Arguments:":
      return text("cli-help-arguments");
    case "Options:":
      return text("cli-help-options");
    case "Commands:":
      return text("cli-help-commands");
    default:
      return title;
  }
}
