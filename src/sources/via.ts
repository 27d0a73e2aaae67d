import { basename } from "node:path";
import { AppError } from "../core/errors.ts";

const engines = new Set(["docker", "podman", "nerdctl"]);

/**
 * The prefix as it has to be for pipes and passwords: `-i` for the session's input, and `-e <variable>` for the variable
 * that holds the password, if there is one: a container engine passes it on by its name, so that its value stands in no
 * argv. Fails with `config` for a terminal (it would alter the dump's bytes) and for a password that the client cannot
 * pass on.
 */
export function prepareVia(via: readonly string[], variable: string | undefined): readonly string[] {
  const exec = via.indexOf("exec");
  const options = exec === -1 ? [] : via.slice(exec + 1);
  const end = options.indexOf("--");
  const flags = end === -1 ? options : options.slice(0, end);
  if (flags.some((flag) => /^-[a-z]*t[a-z]*$/.test(flag) || flag === "--tty")) {
    throw new AppError("config", "via: leave out the terminal (-t): it would alter the bytes of the dump", {
      text: { key: "error-via-terminal" },
    });
  }
  const added: string[] = [];
  if (
    exec !== -1 &&
    !flags.some((flag) => /^-[a-z]*i[a-z]*$/.test(flag) || flag === "--interactive" || flag === "--stdin")
  ) {
    added.push("-i");
  }
  if (variable !== undefined && !via.some((argument) => argument.includes(variable))) {
    if (exec === -1 || !engines.has(basename(via[0] ?? ""))) {
      const remedy = `let the tools find it there (${variable} in the pod) and leave it out of the URL`;
      const tool = basename(via[0] ?? "");
      throw new AppError("config", `via: ${tool} does not pass a password on: ${remedy}`, {
        text: { key: "error-via-password", args: { tool, variable } },
      });
    }
    added.push("-e", variable);
  }
  return exec === -1 ? via : [...via.slice(0, exec + 1), ...added, ...via.slice(exec + 1)];
}
