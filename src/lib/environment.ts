import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";

/** The absolute path of a program, or undefined. Names without a slash are looked up in PATH. */
export function findTool(name: string): string | undefined {
  const folders = name.includes("/") ? [""] : (baseEnvironment().PATH ?? "").split(delimiter);
  for (const folder of folders) {
    const path = folder === "" ? name : join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (isAbsolute(path)) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** What every child gets: nothing else of this process's environment, which holds secrets. */
export function baseEnvironment(via = false): Record<string, string> {
  const names = via
    ? [
        "PATH",
        "HOME",
        "LANG",
        "KUBECONFIG",
        "CONTAINER_HOST",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "DOCKER_CERT_PATH",
        "DOCKER_TLS_VERIFY",
      ]
    : ["PATH", "HOME", "LANG", "PGPASSFILE"];
  const result: Record<string, string> = {};
  for (const name of names) {
    // biome-ignore lint/style/noProcessEnv: not configuration: what a child needs to find programs and its user's files
    const value = process.env[name];
    if (value !== undefined) result[name] = value;
  }
  // English messages, in UTF-8: errors are told apart by them.
  return { PATH: "/usr/local/bin:/usr/bin:/bin", ...result, LC_ALL: "C.UTF-8" };
}

let deathSignal: readonly string[] | undefined;

/**
 * The prefix that makes the kernel end a child when this process is killed (SIGKILL runs no handler). Closed pipes
 * would do it too, but only at the child's next write: not for one that waits for a lock or for a long query.
 */
export function deathSignalPrefix(): readonly string[] {
  if (deathSignal === undefined) {
    const setpriv = process.platform === "linux" ? findTool("setpriv") : undefined;
    // BusyBox has a setpriv without this option.
    deathSignal =
      setpriv !== undefined && basename(realpathSync(setpriv)) === "setpriv" ? [setpriv, "--pdeathsig", "TERM"] : [];
  }
  return deathSignal;
}

/** Where GNU's coreutils keep the library by which their `stdbuf` works. */
const bufferLibraries = ["/usr/libexec/coreutils/libstdbuf.so", "/usr/lib/coreutils/libstdbuf.so"];

/**
 * The environment that has a program of the C library write its standard output in pieces of so many bytes: into a pipe it
 * writes 4 KiB at once, and each of them wakes the reader. Empty where there is no such library. Not by way of `stdbuf`
 * itself, which may be another one than GNU's: some stay in front of the program, where its status and signals are lost.
 */
export function outputBuffer(bytes: number): Record<string, string> {
  const library = process.platform === "linux" ? bufferLibraries.find((path) => existsSync(path)) : undefined;
  return library === undefined ? {} : { LD_PRELOAD: library, _STDBUF_O: String(bytes) };
}
