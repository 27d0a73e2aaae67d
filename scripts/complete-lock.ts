/**
 * Completes `package-lock.json` after `npm install`. A registry mirror may lack the optional packages of platforms that
 * it does not serve; npm then leaves them out of the lock file without a word, and `npm ci` refuses such a file, on every
 * machine. Each is added with the exact version that its parent asks for; with `--check` it only says which are missing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Packages = Record<string, LockedPackage>;

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** The folders where Node looks for a package that the one at `path` asks for, from the inside out. */
function placesFor(path: string, name: string): string[] {
  const parents = path.split(/\/?node_modules\//).slice(1);
  return parents
    .map((_, depth) => `node_modules/${[...parents.slice(0, parents.length - depth), name].join("/node_modules/")}`)
    .concat(`node_modules/${name}`);
}

/** npm's own name of a platform, from the end of a package's name: `@biomejs/cli-linux-x64-musl`. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> | undefined {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1) return undefined;
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : words.includes("gnu") ? ["glibc"] : undefined;
  return { os, cpu, ...(libc && { libc }) };
}

/** The entries that a lock file's packages ask for and do not have. */
export function missingOptionalPackages(packages: Packages): Packages {
  const missing: Packages = {};
  for (const [path, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (placesFor(path, name).some((place) => place in packages)) continue;
      const platform = platformOf(name);
      if (!platform || !/^\d+\.\d+\.\d+/.test(version))
        throw new Error(`${path} asks for ${name} ${version}: add it by hand.`);
      missing[`node_modules/${name}`] = { version, ...(dev && { dev }), optional: true, ...platform };
    }
  }
  return missing;
}

if (import.meta.main) {
  const file = fileURLToPath(new URL("../package-lock.json", import.meta.url));
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Packages };
  const missing = missingOptionalPackages(lock.packages);
  if (process.argv.includes("--check")) {
    console.log(Object.keys(missing).join("\n"));
    process.exitCode = Object.keys(missing).length > 0 ? 1 : 0;
  } else {
    const entries = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, undefined, 2)}\n`);
    console.log(`${Object.keys(missing).length} packages added.`);
  }
}
