import { type CheckedConfig, checkConfig, configExitCode, formatProblem } from "../app/config.ts";
import { createLogger } from "../lib/logger.ts";
import { type DoctorResult, doctorChecks, runChecks } from "../services/doctor.ts";
import { reportCheck } from "./config-check.ts";
import { describeFinding, marks } from "./findings.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** `vakhta doctor`: one line per check; 1 when any fails, 78 when the configuration itself does. */
export async function doctor(
  terminal: Terminal,
  options: { readonly path?: string; readonly json?: boolean },
): Promise<number> {
  // Secrets of the other processes may be absent here: what needs them is skipped, and says so.
  const checked = checkConfig({ ...options, requires: [] });
  const { config, missing, messages, file } = checked;
  if (!config) return options.json ? reportConfigJson(terminal, checked) : reportCheck(terminal, checked);
  const own = terminal.in(messages.locale);
  const results: DoctorResult[] = [];
  const show = (result: DoctorResult) => {
    results.push(result);
    if (!options.json) own.out(describeFinding(result, messages));
  };
  if (!options.json) own.out(`${marks.ok} ${messages.plain("doctor-config-ok", { file })}`);
  const logger = createLogger({ name: "doctor", level: "silent" });
  const checks = doctorChecks({ config, missing, logger, clock: { now: () => new Date() } });
  for await (const result of runChecks(checks, terminal.signal)) show(result);
  terminal.signal.throwIfAborted();
  const failures = results.filter((result) => result.status === "failed").length;
  if (options.json) {
    const checksOut = results.map(({ subject, target, status, key, args, stderr }) => {
      return { check: subject, target, status, reason: key, message: messages.plain(key, args), stderr };
    });
    own.out(JSON.stringify({ ok: failures === 0, checks: checksOut }, undefined, 2));
  } else {
    own.say(failures === 0 ? "doctor-all-well" : "doctor-failures", { count: failures });
  }
  return failures === 0 ? exitCodes.ok : exitCodes.failed;
}

function reportConfigJson(terminal: Terminal, { problems, file, messages }: CheckedConfig): number {
  const checks = problems.map((problem) => {
    const message = formatProblem(problem, file, messages);
    return { check: "config", status: "failed", reason: problem.key, message };
  });
  terminal.out(JSON.stringify({ ok: false, checks }, undefined, 2));
  return configExitCode;
}
