import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configJsonSchema, configSchemaFile } from "../../scripts/config-schema.ts";
import { checkConfig } from "../../src/app/config.ts";
import { sourceKinds } from "../../src/sources/index.ts";

const exampleFile = join(import.meta.dirname, "../../vakhta.example.yaml");
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

const env = {
  BOT_TOKEN: "1:bot-token",
  S3_KEY: "access-key",
  S3_SECRET: "secret",
  APP_DATABASE_URL: "postgres://app:password@db/app",
  AGE_RECIPIENT: recipient,
  WEBHOOK_SECRET: "secret",
  GRAFANA_SECRET: "grafana-signs-with-it",
  IMPORT_KEY: "key-of-the-import",
  QUEUE_KEY: "key-of-the-queue",
  S3_SESSION: "session-token",
  SCRATCH_URL: "postgresql://scratch:password@db/postgres",
  CLUSTER_URL: "postgresql://backup@db/postgres",
  CACHE_URL: "redis://:password@cache:6379",
  PHOTOS_KEY: "photos-key",
  PHOTOS_SECRET: "photos-secret",
  SHOP_DB_PASSWORD: "shop-password",
  TIMEWEB_TOKEN: "token-of-timeweb",
  EXPORTER_PASSWORD: "password-of-the-exporter",
  HEARTBEAT_URL: "https://hc.example.org/ping/3f2c",
};

describe("the editor's schema", () => {
  it("is current; node scripts/config-schema.ts writes it", () => {
    expect(readFileSync(configSchemaFile, "utf8")).toBe(configJsonSchema());
  });

  it("accepts the example, variables and all, and refuses an unknown key", () => {
    const schema = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(JSON.parse(configJsonSchema())));
    const example: unknown = parse(readFileSync(exampleFile, "utf8"));
    expect(schema.safeParse(example).error?.issues).toBeUndefined();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration's own variable
    expect(schema.safeParse({ http: { port: "${PORT}" } }).success).toBe(true);
    expect(schema.safeParse({ http: { port: "8080" } }).success).toBe(false);
    expect(schema.safeParse({ htp: {} }).success).toBe(false);
  });

  it("describes every key", () => {
    const undescribed: string[] = [];
    const visit = (value: unknown, path: string) => {
      if (typeof value !== "object" || value === null) return;
      const properties: unknown = Reflect.get(value, "properties");
      for (const [key, inner] of Object.entries(properties ?? {})) {
        // A constant says all by itself.
        if (!inner.description && inner.const === undefined) undescribed.push(`${path}.${key}`);
        visit(inner, `${path}.${key}`);
      }
      for (const key of ["items", "additionalProperties"]) visit(Reflect.get(value, key), `${path}.*`);
      for (const inner of Reflect.get(value, "oneOf") ?? []) visit(inner, path);
    };
    visit(JSON.parse(configJsonSchema()), "");
    expect(undescribed.filter((path) => !path.startsWith(".backups.*.keep.*") && path !== ".log.level")).toEqual([]);
  });
});

describe("the example", () => {
  const check = (yaml: string) => {
    const folder = mkdtempSync(join(tmpdir(), "vakhta-example-"));
    try {
      writeFileSync(join(folder, "vakhta.yaml"), yaml);
      return checkConfig({ path: join(folder, "vakhta.yaml"), env });
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const example = readFileSync(exampleFile, "utf8");

  it("is valid and has no setting without effect", () => {
    const { problems, warnings, config } = check(example);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(config?.backups[0]).toMatchObject({ storages: ["local", "offsite"], timeout: 21_600_000 });
  });

  it("shows every setting of storages and backups", () => {
    const schema = z.record(z.string(), z.any()).parse(JSON.parse(configJsonSchema()));
    const names = (value: unknown): string[] => {
      if (typeof value !== "object" || value === null) return [];
      return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
        key === "properties" && typeof inner === "object" && inner !== null
          ? Object.entries(inner).flatMap(([name, more]) => [name, ...(name === "source" ? [] : names(more))])
          : names(inner),
      );
    };
    const { storages, backups, encryption } = schema["properties"];
    const settings = new Set([storages, backups, encryption].flatMap(names));
    expect(settings.size).toBeGreaterThan(40);
    expect([...settings].filter((name) => !new RegExp(`\\b${name}:`).test(example))).toEqual([]);
  });

  it("is valid with everything that it only proposes", () => {
    // Settings begin with a small letter, sentences do not.
    const proposals = example.replaceAll(/^( *)# ( *(?:[a-z]\w*:|- \{|- name:).*)$/gm, "$1$2");
    const { problems, config } = check(proposals.replace(/^ *identity: .*\n/m, ""));
    expect(problems).toEqual([]);
    expect(config?.heartbeats.map(({ name }) => name)).toEqual(["nightly-import", "queue"]);
    expect(config?.hooks.grafana).toBeDefined();
    expect(config?.heartbeat).toBeDefined();
    expect(config?.servers.map(({ kind }) => kind)).toEqual(["timeweb", "node-exporter", "local"]);
    expect(config?.rules).toHaveLength(3);
    const kinds = new Set(config?.backups.map(({ source }) => source?.kind));
    expect(sourceKinds.filter((kind) => !kinds.has(kind as never))).toEqual([]);
  });
});
