import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import type { CliResult } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { flipBit } from "../support/verify.ts";

let folder: string;
let temporary: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-verify-"));
  temporary = join(folder, "tmp");
  mkdirSync(temporary);
});
afterEach(() => rmSync(folder, { recursive: true }));

const testRestore = 'testRestore: [sh, -c, "test $(wc -l) = 2000"]';

interface Options {
  readonly source?: string;
  readonly encryption?: string;
  readonly argv?: string;
  /** Further settings of the backup, and of its verification. */
  readonly backup?: string;
  readonly verification?: string;
}

function configure(options: Options = {}): void {
  const { source = testRestore, encryption = "", argv = '[seq, "1", "2000"]' } = options;
  writeFileSync(
    join(folder, "vakhta.yaml"),
    `worker: { host: here }
${encryption}
storages:
  local: { kind: local, path: "${folder}/local" }
  other: { kind: local, path: "${folder}/other" }
backups:
  - name: numbers
    source: { kind: command, argv: ${argv}, file: numbers.txt, ${source} }
    verify: { storage: other${options.verification ?? ""} }
    ${options.backup ?? ""}
`,
  );
}

async function cli(...args: readonly string[]): Promise<CliResult> {
  return await runHere([...args, "--config", join(folder, "vakhta.yaml")], { env: { TMPDIR: temporary } });
}

async function backedUp(): Promise<string> {
  const { stdout, stderr } = await cli("backup", "numbers", "--here", "--json");
  expect(stderr).not.toMatch(/fail/i);
  return JSON.parse(stdout).id;
}

const file = (name: string): string => join(folder, globSync(`{local,other}/**/${name}`, { cwd: folder })[0] ?? "none");

describe("vakhta verify", { timeout: 180_000 }, () => {
  it("proves a backup by its id, by its name or by its time, and writes the proof beside it", async () => {
    configure();
    const id = await backedUp();
    const { status, stdout, stderr } = await cli("verify", id);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^restored and compared: /) });
    expect(stderr).toMatch(new RegExp(`backup ${id} of numbers, .*, copy in other\nrestoring into a scratch place`));
    expect(JSON.parse(readFileSync(file("proof.json"), "utf8")).proofs).toMatchObject([
      { depth: "restored", ok: true },
    ]);
    expect(globSync("*", { cwd: temporary }).filter((name) => name.startsWith("vakhta-verify"))).toEqual([]);
    const year = new Date().getUTCFullYear();
    for (const which of ["numbers", "latest:numbers", `numbers@${year}`]) {
      const result = await cli("verify", which, "--depth", "stored", "--storage", "local", "--json");
      expect(result.status).toBe(0);
      expect(JSON.parse(result.stdout)).toMatchObject({ id, storage: "local", proof: { depth: "stored", ok: true } });
    }
  });

  it("says by its exit status that a copy does not hold, and keeps that beside it", async () => {
    configure();
    await backedUp();
    flipBit(join(folder, globSync("other/numbers/*/numbers*", { cwd: folder })[0] ?? ""));
    for (const depth of ["stored", "restored"]) {
      const { status, stderr } = await cli("verify", "numbers", "--depth", depth);
      expect(status).toBe(1);
      expect(stderr).toMatch(/the backup does not hold: .*damaged/);
    }
    expect(JSON.parse(readFileSync(file("proof.json"), "utf8")).proofs).toHaveLength(2);
    expect((await cli("verify", "numbers", "--storage", "local")).status).toBe(0);
  });

  it("says that it could not look as deep as asked: no success by silence", async () => {
    const identity = await generateIdentity();
    configure({ encryption: `encryption: { recipients: [${await recipientOf(identity)}] }` });
    await backedUp();
    const asked = await cli("verify", "numbers", "--depth", "restored");
    expect(asked.status).toBe(1);
    expect(asked.stderr).toMatch(/wanted was: restored\. The backup is encrypted and no identity/);
    // Nobody has asked for more than can be.
    expect((await cli("verify", "numbers")).status).toBe(0);
    configure({ encryption: `encryption: { recipients: [${await recipientOf(identity)}], identity: ${identity} }` });
    expect((await cli("verify", "numbers", "--depth", "restored")).status).toBe(0);
  });

  it("takes a key of somebody else, or of before, for no proof against the backup", async () => {
    const [old, now] = [await generateIdentity(), await generateIdentity()];
    configure({ encryption: `encryption: { recipients: [${await recipientOf(old)}] }` });
    await backedUp();
    const recipients = `recipients: [${await recipientOf(now)}]`;
    configure({ encryption: `encryption: { ${recipients}, identity: ${now} }` });
    const { status, stderr } = await cli("verify", "numbers", "--depth", "readable");
    expect(status).toBe(1);
    expect(stderr).toMatch(/the identity does not open backup .*: it is encrypted for age1/);
    expect(globSync("{local,other}/**/proof.json", { cwd: folder })).toEqual([]);
    configure({
      encryption: `encryption: { ${recipients}, identity: "# of now\\n${now}\\n\\n# of before\\n${old}\\n" }`,
    });
    expect((await cli("verify", "numbers", "--depth", "readable")).status).toBe(0);
  });

  it("says what the program has said against a copy, and which program could not be run", async () => {
    configure({ source: 'testRestore: [sh, -c, "cat > /dev/null; echo row 7 is missing >&2; exit 3"]' });
    await backedUp();
    const bad = await cli("verify", "numbers");
    expect(bad.status).toBe(1);
    expect(bad.stderr).toMatch(/the backup does not hold: .*\n.*row 7 is missing/);
    configure({ source: 'testRestore: [sh, -c, "echo the last words >&2; kill -KILL $$"]' });
    const killed = await cli("verify", "numbers", "--json");
    expect(killed.status).toBe(1);
    expect(killed.stderr).toMatch(/failed in: sh\nthe last words\n/);
    expect(JSON.parse(killed.stdout)).toMatchObject({ error: { code: "tool-failed" } });
  });

  it("says that it took too long, of a backup made here as well", async () => {
    configure({ argv: '[sleep, "60"]', backup: "timeout: 1s" });
    const backup = await cli("backup", "numbers", "--here");
    expect(backup.status).toBe(1);
    expect(backup.stderr).toMatch(/the run was not finished after 1 s, its timeout\n$/);
    configure({ source: 'testRestore: [sleep, "60"]', verification: ", timeout: 1s" });
    await backedUp();
    const { status, stderr } = await cli("verify", "numbers");
    expect(status).toBe(1);
    expect(stderr).toMatch(/the run was not finished after 1 s, its timeout\n$/);
  });

  it("refuses what there is not", async () => {
    configure();
    expect(await cli("verify", "numbers")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("no backup numbers"),
    });
    await backedUp();
    expect(await cli("verify", "numbers", "--depth", "deep")).toMatchObject({ status: 2 });
    expect(await cli("verify", "numbers", "--storage", "nowhere")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/nowhere; there are: local, other|nowhere; there are: other, local/),
    });
  });

  it("refuses a manifest of a newer version with a line", async () => {
    configure();
    await backedUp();
    for (const name of globSync("{local,other}/**/manifest.json", { cwd: folder })) {
      const path = join(folder, name);
      writeFileSync(path, readFileSync(path, "utf8").replace('"version": 1', '"version": 9'));
    }
    const { status, stderr } = await cli("verify", "numbers");
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/version 9/);
  });
});
