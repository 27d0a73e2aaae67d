import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkConfig, type Requirement } from "../../src/app/config.ts";
import { type Answers, render } from "../../src/cli/init/files.ts";
import { temporaryFolder } from "../support/backup.ts";

interface Service {
  readonly env_file: readonly { readonly path: string; readonly required: boolean }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

const text = readFileSync(join(import.meta.dirname, "../../compose.yaml"), "utf8");
const { services } = parse(text, { merge: true }) as { services: Record<"bot" | "worker", Service> };

const answers = (redisUrl: string): Answers => ({
  locale: "en",
  timezone: "UTC",
  telegram: { token: "1:bot-token", apiRoot: "https://api.telegram.org" },
  admin: { id: 1, name: "Alice" },
  chat: { id: -5 },
  redisUrl,
  httpToken: "token-of-whoever-sends-alerts",
  backup: { name: "shop", url: "postgres://shop:shop-password@db.example.org/shop", schedule: "0 3 * * *" },
  storages: {
    local: { kind: "local", path: "/var/backups/vakhta" },
    offsite: {
      kind: "s3",
      region: "r",
      bucket: "b",
      prefix: "p",
      accessKeyId: "access-key",
      secretAccessKey: "secret-key",
      forcePathStyle: false,
    },
  },
});

/** The configuration as a container of this service sees it. */
function inside(service: Service, redisUrl: string, requires: readonly Requirement[]) {
  using folder = temporaryFolder();
  const { yaml, env } = render(answers(redisUrl));
  // `.env` itself is not there: Compose hands its lines over, and what stands under `environment` wins.
  mkdirSync(join(folder.path, "etc"));
  const path = join(folder.path, "etc/vakhta.yaml");
  writeFileSync(path, yaml);
  return checkConfig({ path, env: { ...env, ...service.environment }, requires });
}

describe("compose.yaml", () => {
  it.each(["redis://127.0.0.1:6379/0", "redis://:pass-word@127.0.0.1:6379/0", "redis://127.0.0.1/{0}"])(
    "works with what init writes, unchanged, whatever Redis it was told of: %s",
    (redisUrl) => {
      for (const [service, requires] of [
        [services.bot, ["telegram", "redis"]],
        [services.worker, ["redis", "storages", "sources"]],
      ] as const) {
        expect(service.env_file).toEqual([{ path: ".env", required: false }]);
        expect(service.volumes).toContain("./vakhta.yaml:/etc/vakhta/vakhta.yaml:ro");
        const { problems, config } = inside(service, redisUrl, requires);
        expect(problems).toEqual([]);
        expect(config?.redis.url).toBe("redis://redis:6379/0");
      }
    },
  );

  it("keeps local copies where the configuration puts them", () => {
    expect(services.worker.volumes).toContain("backups:/var/backups/vakhta");
  });
});
