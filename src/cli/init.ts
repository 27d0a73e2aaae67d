import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { timezoneSchema } from "../app/config/common.ts";
import { checkConfig, configFile } from "../app/config.ts";
import { createLogger } from "../lib/logger.ts";
import { type Locale, messagesOf } from "../messages/index.ts";
import { reportCheck } from "./config-check.ts";
import { type InitContext, say } from "./init/context.ts";
import { type Answers, changedVariables, defaultApiRoot, httpTokenFor, render, writeFiles } from "./init/files.ts";
import { LinePrompter, type Prompter } from "./init/prompter.ts";
import { askBackup, askEncryption, askRedis, askStorages } from "./init/services.ts";
import { askBot, pairPeople } from "./init/telegram.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface InitOptions {
  readonly path?: string;
  readonly apiRoot?: string;
}

/** `vakhta init`: asks for everything, tries it, writes the configuration and `.env`, and checks the result. */
export async function init(terminal: Terminal, options: InitOptions): Promise<number> {
  const file = configFile(options.path);
  using prompter = await createPrompter(terminal);
  const locale = await prompter.choose<Locale>(
    terminal.messages.plain("init-language"),
    [
      { value: "en", label: "English" },
      { value: "ru", label: "Русский" },
    ],
    terminal.messages.locale,
  );
  const context: InitContext = {
    prompter,
    messages: messagesOf(locale),
    clock: { now: () => new Date() },
    logger: createLogger({ name: "init", level: "silent" }),
    signal: terminal.signal,
  };
  if (existsSync(file) && !(await prompter.confirm(say(context, "init-overwrite", { file }), false))) {
    prompter.tell(say(context, "init-nothing-written"));
    return exitCodes.failed;
  }
  const asked = await ask(context, locale, options.apiRoot ?? defaultApiRoot);
  const envFile = join(dirname(file), ".env");
  return await write(terminal.in(locale), context, { file, envFile }, { ...asked, httpToken: httpTokenFor(envFile) });
}

async function ask(context: InitContext, locale: Locale, apiRoot: string): Promise<Omit<Answers, "httpToken">> {
  const timezone = await context.prompter.text({
    message: say(context, "init-timezone"),
    initial: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    validate: (text) => (timezoneSchema.safeParse(text).success ? undefined : say(context, "config-problem-timezone")),
  });
  const bot = await askBot(context, apiRoot.replace(/\/+$/, ""));
  const people = await pairPeople(context, bot);
  const redisUrl = await askRedis(context);
  const backup = await askBackup(context);
  const storages = await askStorages(context, hostname());
  const encryption = await askEncryption(context);
  return {
    locale,
    timezone,
    telegram: bot,
    ...people,
    redisUrl,
    backup,
    storages,
    ...(encryption ? { encryption } : {}),
  };
}

async function write(
  terminal: Terminal,
  context: InitContext,
  { file, envFile }: { readonly file: string; readonly envFile: string },
  answers: Answers,
): Promise<number> {
  const { prompter } = context;
  const content = render(answers);
  const changed = changedVariables(envFile, content.env);
  if (changed.length > 0) {
    const question = say(context, "init-overwrite-variables", { file: envFile, names: changed.join(", ") });
    if (!(await prompter.confirm(question, false))) {
      prompter.tell(say(context, "init-nothing-written"));
      return exitCodes.failed;
    }
  }
  writeFiles(file, envFile, content);
  prompter.tell(say(context, "init-written", { file, env: envFile }), "success");
  const status = reportCheck(
    terminal,
    checkConfig({ path: file, requires: ["telegram", "redis", "storages", "sources", "providers"] }),
  );
  if (status === exitCodes.ok) terminal.say("init-next");
  return status;
}

/** A terminal gets the full dialogue; anything else (a pipe, a script) plain lines. */
async function createPrompter(terminal: Terminal): Promise<Prompter> {
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const { RichPrompter } = await import("./init/rich-prompter.ts");
    return new RichPrompter();
  }
  return new LinePrompter(terminal.messages, process.stdin, process.stdout, terminal.signal);
}
