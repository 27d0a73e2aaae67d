import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runHere } from "../support/cli-here.ts";
import { type S3Server, startS3, startS3Proxy } from "../support/s3.ts";

let s3: S3Server;
let folder: string;
let tests = 0;

beforeAll(async () => {
  s3 = await startS3();
});
afterAll(async () => await s3?.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-drill-"));
  mkdirSync(join(folder, "tmp"));
  tests += 1;
});
afterEach(() => rmSync(folder, { recursive: true }));

function configure({ drill = "{}", endpoint = s3.endpoint, lines = 2000 } = {}): void {
  const numbers = (name: string, storages: string, test = `, testRestore: [sh, -c, "test $(wc -l) = ${lines}"]`) =>
    `  - { name: ${name}, storages: [${storages}], source: { kind: command, argv: [seq, "1", "2000"], file: n.txt${test} } }`;
  writeFileSync(
    join(folder, "vakhta.yaml"),
    `worker: { host: here }
drill: ${drill}
storages:
  local: { kind: local, path: "${folder}/local" }
  offsite: { kind: s3, endpoint: "${endpoint}", region: ${s3.region}, bucket: ${s3.bucket}, prefix: "t${tests}", accessKeyId: "${s3.accessKeyId}", secretAccessKey: "${s3.secretAccessKey}", forcePathStyle: true }
backups:
${numbers("one", "local, offsite")}
${numbers("here", "local")}
${numbers("words", "local, offsite", "")}
`,
  );
}

const cli = async (...args: readonly string[]) =>
  await runHere([...args, "--config", join(folder, "vakhta.yaml")], { env: { TMPDIR: join(folder, "tmp") } });

describe("vakhta drill", { timeout: 60_000 }, () => {
  it("recovers what lies elsewhere, and says what it took and what does not lie there", async () => {
    configure();
    for (const name of ["one", "here", "words"]) expect((await cli("backup", name, "--here")).status).toBe(0);
    const all = await cli("drill");
    expect(all.status).toBe(1);
    expect(all.stdout).toMatch(
      /^one: RTO [\d.]+s, RPO [\d.]+s; nothing to count it against; .* from offsite\nrecovered: 1 of 2\n$/,
    );
    expect(all.stderr).toMatch(/^here: could not be recovered\. None of its copies lies in offsite/m);
    expect(all.stderr).toMatch(/^words: left out\. .* name one as source\.testRestore\.$/m);
    const one = await cli("drill", "one", "--json");
    expect(one.status).toBe(0);
    expect(JSON.parse(one.stdout)).toMatchObject({
      status: "passed",
      limits: { rto: 7_200_000, rpo: 93_600_000 },
      backups: [{ name: "one", status: "passed", copy: { storage: "offsite" }, rtoMs: expect.any(Number) }],
      problems: [],
    });
    // The proof lies beside that copy.
    expect((await cli("backups", "one")).stdout).toMatch(/restored/);
    expect(await cli("drill", "nothing")).toMatchObject({ status: 2 });
  });

  it("fails for what does not hold, and for what lies where nobody can look", async () => {
    configure({ drill: "{ backups: [one] }" });
    expect((await cli("backup", "one", "--here")).status).toBe(0);
    configure({ drill: "{ backups: [one] }", lines: 1 });
    const bad = await cli("drill");
    expect(bad).toMatchObject({ status: 1, stdout: "recovered: 0 of 1\n" });
    expect(bad.stderr).toMatch(/^one: could not be recovered\./m);
    // A folder is on a disk: what it holds is not elsewhere.
    expect(await runHere(["drill", "--storage", `file://${folder}/local`])).toMatchObject({
      status: 1,
      stdout: "recovered: 0 of 0\n",
      stderr: expect.stringContaining("there is nothing to drill"),
    });
    configure({ drill: "{ backups: [one] }", endpoint: "http://127.0.0.1:1" });
    const away = JSON.parse((await cli("drill", "--json")).stdout);
    expect(away).toMatchObject({
      status: "failed",
      backups: [{ status: "undrilled", reason: { finding: "unseen" } }],
      problems: [{ storage: "offsite" }],
    });
  });

  it("names a copy that could not be read, as the list of backups does, and fails", async () => {
    await using proxy = await startS3Proxy(s3.endpoint);
    configure({ drill: "{ backups: [one] }", endpoint: proxy.endpoint });
    const made = JSON.parse((await cli("backup", "one", "--here", "--json")).stdout) as { id: string };
    proxy.inject({ kind: "reset", afterBytes: 40 }, { on: ["GetObject"], path: /manifest\.json/ });
    const object = new RegExp(`^one/.*-${made.id}/manifest\\.json$`);
    const listed = await cli("backups", "one", "--json");
    expect(listed).toMatchObject({ status: 1, stderr: expect.stringMatching(/^offsite: one\/.*manifest\.json: /m) });
    expect(JSON.parse(listed.stdout)).toMatchObject({
      backups: [{ id: made.id, copies: ["local"] }],
      problems: [
        { storage: "offsite", key: expect.stringMatching(object), code: expect.not.stringMatching(/^manifest$/) },
      ],
    });
    const drill = await cli("drill", "--json");
    expect(drill).toMatchObject({ status: 1, stderr: expect.stringMatching(/^offsite: one\/.*manifest\.json: /m) });
    expect(JSON.parse(drill.stdout)).toMatchObject({
      backups: [{ status: "undrilled", reason: { finding: "unseen" } }],
      problems: [{ storage: "offsite", key: expect.stringMatching(object) }],
    });
  });
});
