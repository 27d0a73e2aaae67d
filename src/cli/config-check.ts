import { type CheckedConfig, checkConfig, configExitCode, formatProblem } from "../app/config.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** `vakhta config check`: all problems (standard error, 78), or "ok", what has no effect, and a summary by name. */
export function configCheck(terminal: Terminal, options: { readonly path?: string }): number {
  return reportCheck(terminal, checkConfig(options));
}

/** Prints a checked configuration; gives the exit status. */
export function reportCheck(terminal: Terminal, checked: CheckedConfig): number {
  const { file, problems, warnings, messages, config } = checked;
  const own = terminal.in(messages.locale);
  for (const problem of problems) own.err(formatProblem(problem, file, messages));
  for (const warning of warnings) own.err(formatProblem(warning, file, messages));
  if (!config) {
    if (problems.length > 1) own.complain("config-check-problems", { count: problems.length });
    return configExitCode;
  }
  own.say("config-check-ok", { file });
  const names = (list: readonly string[]) => (list.length > 0 ? list.join(", ") : "–");
  own.say("config-check-chats", { names: names(Object.keys(config.telegram?.chats ?? {})) });
  own.say("config-check-users", { names: names((config.telegram?.users ?? []).map((user) => user.name)) });
  own.say("config-check-storages", { names: names(Object.keys(config.storages)) });
  own.say("config-check-backups", { names: names(config.backups.map((backup) => backup.name)) });
  own.say("config-check-heartbeats", { names: names(config.heartbeats.map((heartbeat) => heartbeat.name)) });
  // Whoever watches no servers need not hear of it.
  if (config.servers.length > 0) {
    own.say("config-check-servers", { names: names(config.servers.map((server) => server.name)) });
    own.say("config-check-rules", { names: names(config.rules.map((rule) => rule.name)) });
  }
  return exitCodes.ok;
}
