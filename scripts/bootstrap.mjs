/**
 * Run before every npm script: makes a bare machine ready for it and costs a few milliseconds on one that is.
 * Plain JavaScript without dependencies, because it runs on whatever Node is there, before anything is installed.
 *
 *   node scripts/bootstrap.mjs [demo | test | bench | deps] [--check]
 *
 * Installs the locked npm packages when they are missing or differ from the lock file (among them Node 24 itself, which
 * npm then puts first on the PATH of every script), and the Debian packages that the task needs. With `--check` nothing
 * is installed: it fails with the command that would.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Debian package -> the programs that stand for it, any of which will do. */
const programs = {
  "redis-server": ["redis-server"],
  postgresql: ["initdb"],
  zstd: ["zstd"],
  age: ["age"],
  openssl: ["openssl"],
  curl: ["curl"],
  jq: ["jq"],
  sqlite3: ["sqlite3"],
  chromium: ["chromium"],
  prometheus: ["prometheus"],
  "prometheus-alertmanager": ["prometheus-alertmanager"],
};
const demo = ["redis-server", "postgresql", "zstd"];
const needs = {
  demo,
  bench: demo,
  test: [...demo, "age", "openssl", "curl", "jq", "sqlite3", "chromium", "prometheus", "prometheus-alertmanager"],
  deps: [],
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Whether a locked package belongs on this machine: production installs leave the development ones out. */
function isWanted(locked) {
  const omit = (process.env.npm_config_omit ?? "").split(/[\s,]+/);
  const withoutDev = process.env.NODE_ENV === "production" || omit.includes("dev");
  return !(locked.optional || locked.devOptional || (locked.dev && withoutDev));
}

/** Compares contents, not times: a git checkout touches the lock file without changing it. */
function isInstalled() {
  const installedLock = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedLock)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedLock, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, locked]) => path === "" || !isWanted(locked) || installed[path]?.version === locked.version,
  );
}

function installNpmPackages() {
  console.error("Installing the locked npm packages (npm ci) ...");
  // The npm that runs this script, where one does: another one on the PATH may be older.
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const [command, argv] = npm ? [process.execPath, [npm, ...args]] : ["npm", args];
  const result = spawnSync(command, argv, { cwd: root, stdio: ["ignore", 2, 2] });
  if (result.status !== 0) fail("npm ci failed: see above.");
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  const own = join(root, "node_modules/node/bin/node");
  if (major >= 24 || existsSync(own)) return;
  fail(
    `Node 24 or newer is needed, this is ${process.versions.node}. The development dependency "node" brings it, but its ` +
      `install script did not run (old npm, --ignore-scripts or --omit=dev?). Install Node 24, or npm 11 and run: npm ci`,
  );
}

/** PATH, plus the folders where Debian keeps PostgreSQL's server programs and what only root usually sees. */
function searchPath() {
  const base = "/usr/lib/postgresql";
  const postgres = existsSync(base) ? readdirSync(base).map((major) => join(base, major, "bin")) : [];
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", ...postgres];
}

function isThere(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missingPackages(task) {
  const folders = searchPath();
  // Whoever names a browser of their own needs no other.
  const wanted = needs[task].filter((name) => name !== "chromium" || !process.env.CHROMIUM);
  return wanted.filter((name) => !programs[name].some((program) => folders.some((dir) => isThere(join(dir, program)))));
}

/** Puts a file in place for the time of `action` and restores what was there, so that nothing of ours is left behind. */
function withFile(path, content, mode, action) {
  const before = existsSync(path) ? readFileSync(path) : undefined;
  writeFileSync(path, content, { mode });
  try {
    return action();
  } finally {
    if (before === undefined) rmSync(path, { force: true });
    else writeFileSync(path, before);
  }
}

function aptGet(...args) {
  const result = spawnSync("apt-get", ["-qq", "-o", "Dpkg::Use-Pty=0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
  if (result.status !== 0)
    fail(`apt-get ${args[0]} failed:\n${result.error?.message ?? result.stdout + result.stderr}`);
}

/**
 * Debian starts what it installs, on the default ports, and makes a PostgreSQL cluster: neither is wanted, the programs
 * are run privately. A refusing policy-rc.d and a cluster setting, both for the time of the installation, prevent it.
 */
function installDebianPackages(names) {
  const line = `apt-get update && apt-get install -y --no-install-recommends ${names.join(" ")}`;
  if (!searchPath().some((dir) => isThere(join(dir, "apt-get")))) {
    fail(`Missing programs: ${names.flatMap((name) => programs[name][0]).join(", ")}. Install them and try again.`);
  }
  if (onlyCheck || process.getuid?.() !== 0)
    fail(`Missing programs. Install them and try again:\n  sudo sh -c '${line}'`);
  console.error(`Installing Debian packages: ${names.join(" ")} ...`);
  aptGet("update");
  const install = () =>
    aptGet("install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", ...names);
  const withoutServices = () => withFile("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755, install);
  const clusters = "/etc/postgresql-common/createcluster.conf";
  if (!names.includes("postgresql")) return withoutServices();
  aptGet("install", "-y", "--no-install-recommends", "postgresql-common");
  withFile(clusters, "create_main_cluster = false\n", 0o644, withoutServices);
}

const onlyCheck = process.argv.includes("--check");
const task = process.argv.slice(2).find((argument) => argument !== "--check") ?? "deps";
if (!Object.hasOwn(needs, task)) fail(`Unknown task ${task}: one of ${Object.keys(needs).join(", ")}.`);
if (!isInstalled()) {
  if (onlyCheck) fail("The npm packages are not those of package-lock.json. Run: npm ci");
  installNpmPackages();
}
checkNode();
const missing = missingPackages(task);
if (missing.length > 0) {
  installDebianPackages(missing);
  const still = missingPackages(task);
  if (still.length > 0) fail(`Installed, but their programs are not found: ${still.join(", ")}.`);
}
