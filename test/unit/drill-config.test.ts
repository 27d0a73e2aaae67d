import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkConfig, formatPath, formatProblem } from "../../src/app/config.ts";

const folder = mkdtempSync(join(tmpdir(), "vakhta-drill-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rest = `storages: { local: { kind: local, path: /b } }
telegram: { token: "1:x", chats: { ops: { id: -1, topics: { backups: 15 } } }, users: [{ id: 1, name: a, role: admin }] }
backups:
  - { name: shop, source: { kind: postgres, url: "postgres://u@h/d" } }
  - { name: uploads, source: { kind: files, paths: [/srv] } }
  - { name: etcd, source: { kind: command, argv: [etcd], file: etcd.db } }
  - { name: mysql, source: { kind: command, argv: [dump], file: my.sql, testRestore: [load] } }
`;

function check(drill: string, more = rest) {
  const path = join(folder, "vakhta.yaml");
  writeFileSync(path, `${more}drill: ${drill}\n`);
  return checkConfig({ path, env: {}, requires: [] });
}
const problems = (drill: string, more?: string): string[] =>
  check(drill, more).problems.map(({ path, key, args }) =>
    `${formatPath(path)} ${key} ${typeof args["known"] === "string" ? args["known"] : ""}`.trimEnd(),
  );

describe("drill:", () => {
  test("has a default for all of it, and is off when it is not there", () => {
    expect(check("{}").config?.drill).toEqual({ schedule: "0 6 * * 1", rto: 7_200_000, rpo: 93_600_000 });
    expect(
      check('{ schedule: "0 4 * * 0", backups: [shop, mysql], chat: ops, topic: backups, rto: 90m, rpo: 2d }').config,
    ).toMatchObject({ drill: { schedule: "0 4 * * 0", backups: ["shop", "mysql"], rto: 5_400_000, rpo: 172_800_000 } });
    expect(check("{}\nlocale: en").config?.drill).toBeDefined();
    const path = join(folder, "none.yaml");
    writeFileSync(path, rest);
    expect(checkConfig({ path, env: {}, requires: [] }).config).not.toHaveProperty("drill");
  });

  test("refuses names that are none, or that cannot be test-restored, with the reason", () => {
    expect(problems("{ backups: [shp] }")).toEqual(["drill.backups[0] config-problem-no-backup shop"]);
    expect(problems("{ backups: [shop, nothing-like-it] }")).toEqual([
      "drill.backups[1] config-problem-no-backup shop, uploads, etcd, mysql",
    ]);
    expect(problems("{ backups: [uploads, etcd, mysql] }")).toEqual(["drill.backups[1] config-problem-drill-command"]);
    expect(problems("{ backups: [shop, shop] }")).toEqual(["drill.backups[1] config-problem-duplicate-name"]);
    expect(problems("{ backups: [] }")).toHaveLength(1);
    const {
      problems: [problem],
      file,
      messages,
    } = check("{ backups: [etcd] }");
    expect(problem && formatProblem(problem, file, messages)).toContain(
      "Name one as source.testRestore of that backup",
    );
  });

  test("concludes nothing from backups that cannot be read", () => {
    const broken = rest.replace("{ name: shop,", "{ name: [],");
    expect(problems("{ backups: [shop] }", broken).filter((problem) => problem.startsWith("drill"))).toEqual([]);
    const unknown = rest.replace("kind: command, argv: [etcd]", "kind: comand, argv: [etcd]");
    expect(problems("{ backups: [etcd] }", unknown).filter((problem) => problem.startsWith("drill"))).toEqual([]);
  });

  test("refuses other mistakes", () => {
    expect(problems("{ chat: opps }")).toEqual(["drill.chat config-problem-no-chat ops"]);
    expect(problems("{ topic: alerts }")).toEqual(["drill.topic config-problem-no-topic backups"]);
    expect(problems('{ schedule: "0 6 31 2 *" }')).toEqual(["drill.schedule config-problem-cron"]);
    expect(problems("{ rto: 500ms, rpo: 401d }")).toEqual([
      "drill.rto config-problem-duration-min",
      "drill.rpo config-problem-duration-max",
    ]);
    expect(problems("{ backup: [shop] }")).toEqual(["drill.backup config-problem-unknown-key"]);
  });
});
