import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkConfig, formatPath, formatProblem, type Requirement } from "../../src/app/config.ts";
import { redact } from "../../src/lib/redaction.ts";

const telegram = `telegram: { token: "1:bot-token", users: [{ id: 1, name: a, role: admin }], chats: { ops: { id: -1 } } }\n`;

function check(yaml: string, env: Record<string, string> = {}, requires?: readonly Requirement[]) {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-config-"));
  try {
    const path = join(folder, "vakhta.yaml");
    writeFileSync(path, yaml);
    return checkConfig({ path, env, ...(requires ? { requires } : {}) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const problems = (yaml: string): string[] =>
  check(telegram + yaml).problems.map(({ path, key }) => `${formatPath(path)} ${key}`);

describe("servers", () => {
  it("are read by the kind of their provider, with its defaults", () => {
    const { config, problems: found } = check(
      `${telegram}providers: { timeweb: { token: one }, second: { kind: timeweb, token: two, rate: 4 } }
servers:
  - { name: Web-1.prod, provider: timeweb, id: 101, labels: { env: prod } }
  - { name: web-2, provider: second, id: 101 }
  - { name: db-1, provider: node-exporter, url: "http://10.0.0.5:9100/metrics" }
  - { name: here, provider: local, host: db-1 }
`,
    );
    expect(found).toEqual([]);
    expect(config?.providers).toMatchObject({
      timeweb: { kind: "timeweb", config: { token: "one", rate: 2, burst: 3 } },
      second: { kind: "timeweb", config: { token: "two", rate: 4 } },
    });
    expect(config?.servers).toMatchObject([
      { name: "Web-1.prod", provider: "timeweb", kind: "timeweb", labels: { env: "prod" }, config: { id: 101 } },
      { name: "web-2", provider: "second", kind: "timeweb", labels: {}, config: { id: 101 } },
      { name: "db-1", kind: "node-exporter", config: { url: "http://10.0.0.5:9100/metrics", timeout: 10_000 } },
      { name: "here", kind: "local", host: "db-1" },
    ]);
  });

  it("take numbers from variables", () => {
    const yaml = `${telegram}providers: { timeweb: { token: "\${T}", rate: "\${RATE}" } }
servers: [{ name: a, provider: timeweb, id: "\${ID}" }]
`;
    const { config, problems: found } = check(yaml, { T: "token-of-timeweb", RATE: "4", ID: "7" });
    expect(found).toEqual([]);
    expect(config?.servers[0]?.config).toEqual({ id: 7 });
    expect(config?.providers["timeweb"]?.config).toMatchObject({ rate: 4 });
    expect(redact("token-of-timeweb 7")).toBe("[redacted] 7");
  });

  it("have all of their problems told at once, each at its place", () => {
    expect(
      problems(`providers: { timeweb: { tokn: x }, other: { kind: hetzner }, Bad: { kind: timeweb, token: t }, vps: {} }
servers:
  - { name: web-1, provider: timeweb, id: 101, lables: {} }
  - { name: WEB-1, provider: timeweb, id: 101 }
  - { name: "a b", provider: timwebb, id: x }
  - { name: c, provider: local, labels: { "a-b": x, server: y } }
  - { name: d, provider: local, host: h }
  - { provider: node-exporter, url: ftp }
  - { name: e, provider: node-exporter }
stats: { every: 10s, keep: { raw: 60d } }
rules:
  - { name: r, when: "cpu > 90", servers: [wbe-1, "c*"] }
  - { name: r, when: "cpuu > 90" }
recovery: { auto: yes, signs: 1, servers: [zzz] }
`).toSorted(),
    ).toEqual(
      [
        "providers.timeweb.token config-problem-required",
        "providers.timeweb.tokn config-problem-unknown-key",
        "providers.other.kind config-problem-provider-kind",
        "providers.Bad config-problem-name",
        "providers.vps config-problem-provider-kind",
        "servers[0].lables config-problem-unknown-key",
        "servers[1].name config-problem-duplicate-name",
        "servers[1].id config-problem-same-server",
        "servers[2].name config-problem-server-name",
        "servers[2].provider config-problem-no-provider",
        "servers[3].labels.a-b config-problem-label",
        "servers[3].labels.server config-problem-label-taken",
        "servers[4].host config-problem-same-server",
        "servers[5].name config-problem-required",
        "servers[5].url config-problem-url",
        "servers[6].url config-problem-url",
        "stats.every config-problem-duration-min",
        "stats.keep.raw config-problem-duration-max",
        "rules[1].name config-problem-duplicate-name",
        "rules[1].when config-problem-rule",
        "recovery.auto config-problem-recovery",
        "recovery.signs config-problem-min",
      ].toSorted(),
    );
  });

  it("that a rule names and that are not there are a problem, with the nearest name", () => {
    const { problems: found, messages } = check(
      `${telegram}servers: [{ name: web-1, provider: local }]\nrules: [{ name: r, when: "cpu > 90", servers: [wbe-1] }]\nrecovery: { servers: [x] }\n`,
    );
    expect(found.map((problem) => formatProblem(problem, "f", messages))).toEqual([
      expect.stringMatching(/rules\[0\]\.servers\[0\]: .*web-1/),
      expect.stringMatching(/recovery\.servers\[0\]: .*web-1/),
    ]);
  });

  it("may be in an account that is not described only where none is needed", () => {
    expect(problems("servers: [{ name: a, provider: timeweb, id: 1 }]\n")).toEqual([
      "servers[0].provider config-problem-no-account",
    ]);
    expect(problems("servers: [{ name: a, provider: local }, { name: b, provider: local, host: x }]\n")).toEqual([
      "servers[1].host config-problem-same-server",
    ]);
  });

  it("are enough for a worker, which needs their secrets; the bot does not", () => {
    const yaml = `${telegram}providers: { timeweb: { token: "\${TIMEWEB_TOKEN}" } }
servers:
  - { name: a, provider: timeweb, id: 1 }
  - { name: b, provider: node-exporter, url: "http://h/metrics", auth: { token: "\${EXPORTER}" }, labels: { env: prod } }
`;
    const worker = check(yaml, {}, ["redis", "storages", "sources", "providers"]);
    expect(worker.problems.map(({ path, key }) => `${formatPath(path)} ${key}`)).toEqual([
      "providers.timeweb.token config-variable-unset",
      "servers[1].auth.token config-variable-unset",
    ]);
    const bot = check(yaml, {}, ["telegram", "redis"]);
    expect(bot.problems).toEqual([]);
    expect(bot.config?.servers.map(({ name, kind, labels }) => [name, kind, labels])).toEqual([
      ["a", "timeweb", {}],
      ["b", "node-exporter", { env: "prod" }],
    ]);
    expect(bot.config?.providers["timeweb"]?.kind).toBe("timeweb");
  });

  it("are 2,000 at most", () => {
    const many = Array.from(
      { length: 2001 },
      (_, index) => `  - { name: s-${index}, provider: node-exporter, url: "http://h/${index}" }`,
    );
    expect(problems(`servers:\n${many.join("\n")}\n`)).toEqual(["servers config-problem-max"]);
  });
});
