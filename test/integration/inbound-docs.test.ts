import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { type Config, checkConfig } from "../../src/app/config.ts";
import { inboundLimits } from "../../src/http/inbound.ts";
import {
  alertmanagerMessage,
  grafanaMessage,
  minioMessage,
  sentryEventAlert,
  sentryIssue,
  sentryMetricAlert,
} from "../support/hook-bodies.ts";
import { httpToken, type InboundOptions, type InboundWorld, inboundWorld } from "../support/inbound.ts";
import { useRedis } from "../support/state.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/alerts.md"), "utf8");
const fixture = useRedis();
const world = (options: Partial<InboundOptions> = {}): InboundWorld =>
  inboundWorld({ redisUrl: fixture.server.url, ...options });

/** The code below a heading of the document, as it stands there. */
function snippet(heading: string, language: string, containing = ""): string {
  const section = document.split(/^(?=###? )/m).find((part) => part.startsWith(`### ${heading}`)) ?? "";
  const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, name, code = ""]) => ({ name, code }));
  const found = blocks.filter(({ name, code }) => name === language && code.includes(containing));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language} below ${heading}`);
  return found[0]?.code ?? "";
}

// biome-ignore lint/suspicious/noExplicitAny: a file of somebody else's program, which only the test looks into
const yaml = (code: string): any => parse(code);

const secrets = {
  GRAFANA_SECRET: "secret-of-grafana-0123",
  SENTRY_SECRET: "secret-of-sentry-0123",
  IMPORT_KEY: "key-of-the-import",
  HTTP_TOKEN: httpToken,
};

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the program makes of a part of `vakhta.yaml`. */
function configured(code: string): Config {
  const folder = temporary();
  writeFileSync(join(folder, "vakhta.yaml"), code);
  const checked = checkConfig({ path: join(folder, "vakhta.yaml"), env: secrets, requires: ["redis"] });
  expect(checked.problems).toEqual([]);
  if (!checked.config) throw new Error("no configuration");
  return checked.config;
}

/** Every call of curl in a script, run by a real shell: its arguments as curl would see them. */
function callsOfCurl(script: string, programs: Record<string, string> = {}): string[][] {
  const folder = temporary();
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const recording = 'for arg; do printf "%s\\0" "$arg" >> "$CALLS"; done; printf "\\1" >> "$CALLS"';
  for (const [name, body] of Object.entries({ curl: recording, ...programs })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const calls = join(folder, "calls");
  const env = { ...secrets, PATH: `${bin}:${process.env["PATH"]}`, CALLS: calls };
  const here = script.replaceAll("/tmp/", `${folder}/`).replaceAll("/usr/local/bin/", `${bin}/`);
  execFileSync("sh", ["-c", here], { env });
  return readFileSync(calls, "utf8")
    .split("\u0001")
    .filter(Boolean)
    .map((call) => call.split("\0").slice(0, -1));
}

/** Sends what a call of curl would send. */
async function asCurl({ server }: InboundWorld, call: readonly string[]): Promise<LightMyRequestResponse> {
  const headers: Record<string, string> = {};
  let payload: string | undefined;
  let url = "";
  for (let at = 0; at < call.length; at++) {
    const [arg = "", value = ""] = [call[at], call[at + 1]];
    if (["-m", "--retry"].includes(arg)) at += 1;
    else if (arg === "-H") {
      const [name = "", ...rest] = value.split(":");
      headers[name.toLowerCase()] = rest.join(":").trim();
      at += 1;
    } else if (arg === "--json" || arg === "--data-binary") {
      payload = value.startsWith("@") ? readFileSync(value.slice(1), "utf8") : value;
      if (arg === "--json") headers["content-type"] = "application/json";
      at += 1;
    } else if (!arg.startsWith("-")) url = arg;
    else if (!["--fail", "-fsS"].includes(arg)) throw new Error(`curl ${arg}?`);
  }
  return await send(server, url, headers, payload);
}

async function send(
  server: InboundWorld["server"],
  url: string,
  headers: Record<string, string>,
  payload?: string,
): Promise<LightMyRequestResponse> {
  const { origin, pathname, search } = new URL(url);
  expect(origin).toBe("https://vakhta.example.org");
  const method = payload === undefined ? "GET" : "POST";
  return await server.inject({
    method,
    url: pathname + search,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
}

describe("Alertmanager's configuration", () => {
  const hookOf = (code: string) => yaml(code).receivers[0].webhook_configs[0];

  test("with a bearer token", async () => {
    const { server, incidents } = world();
    const config = yaml(snippet("Alertmanager", "yaml", "authorization:"));
    expect(config.route.receiver).toBe(config.receivers[0].name);
    const hook = hookOf(snippet("Alertmanager", "yaml", "authorization:"));
    const headers = { authorization: `${hook.http_config.authorization.type} ${httpToken}` };
    expect((await send(server, hook.url, headers, JSON.stringify(alertmanagerMessage))).statusCode).toBe(200);
    expect(await incidents()).toHaveLength(1);
  });

  test("with basic authentication", async () => {
    const { server } = world();
    const hook = hookOf(snippet("Alertmanager", "yaml", "basic_auth:"));
    const pair = `${hook.http_config.basic_auth.username}:${httpToken}`;
    const headers = { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
    expect((await send(server, hook.url, headers, JSON.stringify(alertmanagerMessage))).statusCode).toBe(200);
  });
});

test("Grafana's contact point signs what our configuration takes", async () => {
  const { hooks } = configured(snippet("Grafana", "yaml", "# vakhta.yaml"));
  const { server, clock, incidents } = world({ hooks, token: null });
  const [contact] = yaml(snippet("Grafana", "yaml", "contactPoints:")).contactPoints;
  const { url, hmacConfig } = contact.receivers[0].settings;
  expect(hmacConfig.secret).toBe("$GRAFANA_SECRET");
  const at = String(Math.floor(clock.now().getTime() / 1000));
  const body = JSON.stringify(grafanaMessage);
  const signature = createHmac("sha256", secrets.GRAFANA_SECRET).update(`${at}:${body}`).digest("hex");
  const headers = { "X-Grafana-Alerting-Signature": signature, [hmacConfig.timestampHeader]: at };
  expect((await send(server, url, headers, body)).statusCode).toBe(200);
  expect(await incidents()).toHaveLength(2);
  const old = { ...headers, [hmacConfig.timestampHeader]: "" };
  expect((await send(server, url, old, body)).statusCode).toBe(401);
});

test("curl sends events, and their end", async () => {
  const here = world();
  const [begin = []] = callsOfCurl(snippet("Events", "sh", '"firing"'));
  expect((await asCurl(here, begin)).json()).toEqual({ accepted: 1 });
  expect(await here.incidents()).toMatchObject([
    { status: "firing", severity: "warning", labels: { host: "web-1", days: "6" }, repeats: false },
  ]);
  const [end = []] = callsOfCurl(snippet("Events", "sh", '"resolved"'));
  expect((await asCurl(here, end)).json()).toEqual({ accepted: 2 });
  expect((await here.incidents()).map(({ status, title }) => [status, title])).toEqual(
    expect.arrayContaining([
      ["noted", "Release 2.4.0 is out"],
      ["resolved", "The certificate of www.example.org ends in 6 days"],
    ]),
  );
});

describe("a cron job", () => {
  test.each([
    ["that ends well", "echo done", []],
    [
      "that fails",
      "echo no space left; exit 3",
      [{ key: "heartbeat-text-exit", args: { status: 3, output: "no space left" } }],
    ],
  ])("%s sends its signs of life", async (_what, job, texts) => {
    const { heartbeats } = configured(snippet("Cron jobs", "yaml"));
    const here = world({ heartbeats });
    const calls = callsOfCurl(snippet("Cron jobs", "sh"), { import: job });
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      const answer = await asCurl(here, call);
      expect([answer.statusCode, answer.body]).toEqual([200, "OK"]);
    }
    const incidents = await here.incidents();
    expect(incidents).toHaveLength(texts.length);
    expect(incidents).toMatchObject(texts.map((text) => ({ text, labels: { heartbeat: "import", service: "shop" } })));
    const known = await here.deps.heartbeatStates.read("import");
    expect(known?.record.state.runs).toEqual([]);
  });
});

describe("MinIO's bucket events", () => {
  const hooks = () => configured(snippet("MinIO", "yaml")).hooks;

  test("are read by our configuration, sent as MinIO is told to", async () => {
    const here = world({ hooks: hooks() });
    const script = snippet("MinIO", "sh");
    const endpoint = /endpoint=(\S+)/.exec(script)?.[1] ?? "";
    const authorization = /auth_token="([^"]+)"/.exec(script)?.[1]?.replace("$HTTP_TOKEN", httpToken) ?? "";
    // It is sent again when the answer was lost.
    for (let time = 0; time < 2; time++) {
      const answer = await send(here.server, endpoint, { authorization }, JSON.stringify(minioMessage));
      expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1 }]);
    }
    expect(await here.incidents()).toMatchObject([
      {
        source: "minio",
        status: "noted",
        severity: "info",
        title: "s3:ObjectCreated:Put vexination/reports/march 1.pdf",
        text: "2851 bytes, from 10.89.1.9",
        labels: { bucket: "vexination", event: "s3:ObjectCreated:Put" },
        openedAt: "2023-06-05T11:04:06.851Z",
      },
    ]);
  });

  test("tell of objects without a size as well, and their test message is nothing", async () => {
    const { post, incidents } = world({ hooks: hooks() });
    const [record] = minioMessage.Records;
    const { size: _size, ...object } = record?.s3.object ?? { size: 0 };
    const gone = { ...record, eventName: "s3:ObjectRemoved:Delete", s3: { ...record?.s3, object } };
    expect((await post("/hooks/events/minio", { ...minioMessage, Records: [gone] })).statusCode).toBe(200);
    expect((await incidents())[0]).toMatchObject({ text: "from 10.89.1.9" });
    expect((await post("/hooks/events/minio", {})).json()).toEqual({ error: "Records: expected a list" });
  });
});

describe("Argo CD's notifications", () => {
  const { data } = yaml(snippet("Argo CD", "yaml"));
  const app = {
    metadata: { name: "shop" },
    spec: { destination: { namespace: "prod" } },
    status: { operationState: { phase: "Failed", message: 'one or more objects failed to apply: "x"\nsecond line' } },
  };

  /** The few things that our templates ask of Go's. */
  function render(template: string): string {
    const context = { app, context: yaml(data.context) };
    return template.replaceAll(/\{\{\s*\.([\w.]+)\s*(\|\s*toJson\s*)?\}\}/g, (_match, path: string, json?: string) => {
      const value = path.split(".").reduce<unknown>((inner, step) => Reflect.get(Object(inner), step), context);
      if (typeof value !== "string") throw new Error(`no ${path}`);
      return json ? JSON.stringify(value) : value;
    });
  }

  test("make our shape by their own template", async () => {
    const { server, incidents } = world();
    const service = yaml(data["service.webhook.vakhta"]);
    const headers = Object.fromEntries(
      service.headers.map(({ name, value }: Record<string, string>) => [
        name,
        value?.replace("$vakhta-token", httpToken),
      ]),
    );
    const notify = async (name: string): Promise<number> => {
      const { method, body } = yaml(data[`template.${name}`]).webhook.vakhta;
      expect(method).toBe("POST");
      expect(render(body)).not.toContain("{{");
      return (await send(server, service.url, headers, render(body))).statusCode;
    };
    const sent = yaml(data["trigger.vakhta"]).flatMap((trigger: { send: string[] }) => trigger.send);
    expect(sent).toEqual(["vakhta-failed", "vakhta-succeeded"]);
    expect(await notify("vakhta-failed")).toBe(200);
    expect(await incidents()).toMatchObject([
      {
        status: "firing",
        severity: "critical",
        title: "Argo CD: the sync of shop has failed",
        text: app.status.operationState.message,
        labels: { app: "shop", namespace: "prod" },
        links: [{ kind: "page", url: "https://argocd.example.org/applications/shop" }],
      },
    ]);
    expect(await notify("vakhta-succeeded")).toBe(200);
    expect((await incidents()).map(({ status }) => status)).toEqual(["resolved"]);
  });
});

describe("Sentry's webhooks", () => {
  const sent = async (here: InboundWorld, message: unknown, resource: string, secret = secrets.SENTRY_SECRET) => {
    const body = JSON.stringify(message);
    const headers = {
      "sentry-hook-resource": resource,
      "sentry-hook-signature": createHmac("sha256", secret).update(body).digest("hex"),
    };
    return await send(here.server, "https://vakhta.example.org/hooks/events/sentry", headers, body);
  };
  const start = (): InboundWorld => world({ hooks: configured(snippet("Sentry", "yaml")).hooks, token: null });

  test("are read by our configuration, by their signature", async () => {
    const here = start();
    expect((await sent(here, sentryEventAlert, "event_alert")).statusCode).toBe(200);
    expect(await here.incidents()).toMatchObject([
      {
        source: "sentry",
        status: "firing",
        severity: "warning",
        title: "ReferenceError: heck is not defined",
        text: "Very Important Alert Rule!: ?(<anonymous>)",
        labels: { project: "1", rule: "Very Important Alert Rule!" },
        links: [{ kind: "page", url: sentryEventAlert.data.event.web_url }],
      },
    ]);
    here.clock.advance(60_000);
    expect((await sent(here, sentryIssue, "issue")).statusCode).toBe(200);
    expect((await here.incidents()).map(({ status }) => status)).toEqual(["resolved"]);
  });

  test("of metrics begin and end with the same name", async () => {
    const here = start();
    await sent(here, sentryMetricAlert, "metric_alert");
    expect(await here.incidents()).toMatchObject([
      { status: "firing", severity: "critical", title: "Critical: Too many errors", labels: { project: "bar" } },
    ]);
    here.clock.advance(60_000);
    await sent(here, { ...sentryMetricAlert, action: "resolved" }, "metric_alert");
    expect((await here.incidents()).map(({ status }) => status)).toEqual(["resolved"]);
  });

  test("that are none of our business are accepted and nothing is told", async () => {
    const here = start();
    const installed = { action: "created", data: { installation: {} }, installation: { uuid: "x" } };
    expect((await sent(here, { ...sentryIssue, action: "assigned" }, "issue")).json()).toEqual({ accepted: 0 });
    expect((await sent(here, { ...installed, action: "deleted" }, "installation")).json()).toEqual({ accepted: 0 });
    expect(await here.incidents()).toEqual([]);
  });

  test("with another signature are refused", async () => {
    const here = start();
    expect((await sent(here, sentryIssue, "issue", "another-secret-0123")).statusCode).toBe(401);
  });
});

test("the numbers of the document are those of the program", () => {
  const numbers = {
    [`larger than ${inboundLimits.body / 1024 / 1024} MiB`]: true,
    [`${inboundLimits.patienceMs / 1000} s or refuses`]: true,
    [`${inboundLimits.requests} requests or ${inboundLimits.bytes / 1024 / 1024} MiB of bodies`]: true,
    [`or ${inboundLimits.unproven} requests whose signature`]: true,
  };
  expect(Object.fromEntries(Object.keys(numbers).map((text) => [text, document.includes(text)]))).toEqual(numbers);
  expect(existsSync(join(import.meta.dirname, "../../docs/alerts.md"))).toBe(true);
});
