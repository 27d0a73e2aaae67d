import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { findFreePort, makePrivateFolder, removeFolder } from "../../src/sandbox/servers/private-folder.ts";
import { type ServerProcess, startServerProcess } from "../../src/sandbox/servers/server-process.ts";
import { until } from "./state.ts";

/** Something that is measured: which of its disks are full. */
export interface Exporter extends AsyncDisposable {
  readonly address: string;
  set(disk: string, full: boolean): void;
}

/** A tiny exporter: `disk_full{disk="<name>"}` is 1 or 0. */
export async function startExporter(): Promise<Exporter> {
  const disks = new Map<string, boolean>();
  const server = createServer((_request, response) => {
    const lines = [...disks].map(([disk, full]) => `disk_full{disk="${disk}"} ${full ? 1 : 0}\n`);
    response.end(`# TYPE disk_full gauge\n${lines.join("")}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (disk, full) => void disks.set(disk, full),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A private Alertmanager that posts to a webhook; quick with everything. */
export interface Alertmanager extends AsyncDisposable {
  readonly address: string;
  readonly clusterAddress: string;
  /** Peers unless told: those of the last start. */
  start(peers?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** Posts an alert `DiskFull` as Prometheus does: it ends by itself `forMs` from now unless it is told again. */
  report(labels: Readonly<Record<string, string>>, startsAt: Date, forMs: number): Promise<void>;
  /** The sum of a metric's values over all labels that match. */
  metric(pattern: RegExp): Promise<number>;
}

export interface AlertmanagerOptions {
  readonly url: string;
  readonly token: string;
  readonly peers?: readonly string[];
}

/** Prepares one; it is not running yet. */
export async function privateAlertmanager({
  url,
  token,
  peers: known = [],
}: AlertmanagerOptions): Promise<Alertmanager> {
  const folder = await makePrivateFolder("alertmanager");
  const [port, clusterPort] = [await findFreePort(), await findFreePort()];
  const file = join(folder, "alertmanager.yml");
  const config = {
    route: {
      receiver: "vakhta",
      group_by: ["alertname"],
      group_wait: "100ms",
      group_interval: "500ms",
      repeat_interval: "1s",
    },
    receivers: [
      {
        name: "vakhta",
        webhook_configs: [{ url, send_resolved: true, http_config: { authorization: { credentials: token } } }],
      },
    ],
  };
  await writeFile(file, stringify(config));
  let peers = known;
  let process: ServerProcess | undefined;
  const address = `127.0.0.1:${port}`;
  const clusterAddress = `127.0.0.1:${clusterPort}`;
  const stop = async (): Promise<void> => {
    // Leaving a cluster in order takes it ten seconds; killed, it also forgets what it has told.
    await process?.stop("SIGKILL");
    process = undefined;
  };
  return {
    address,
    clusterAddress,
    start: async (others = peers) => {
      peers = others;
      const settings = [
        `--config.file=${file}`,
        `--storage.path=${join(folder, "data")}`,
        `--web.listen-address=${address}`,
        `--cluster.listen-address=${clusterAddress}`,
        "--cluster.gossip-interval=20ms",
        "--cluster.peer-timeout=500ms",
        "--cluster.settle-timeout=1s",
        ...peers.map((peer) => `--cluster.peer=${peer}`),
      ];
      process = await startServerProcess({
        command: "prometheus-alertmanager",
        args: settings,
        cwd: folder,
        ready: /Listening on/,
        stopSignal: "SIGTERM",
        folder,
      });
    },
    stop,
    report: async (labels, startsAt, forMs) => {
      const alert = {
        labels: { alertname: "DiskFull", ...labels },
        annotations: { summary: `Disk ${labels["disk"]} is full` },
        startsAt,
        endsAt: new Date(Date.now() + forMs),
      };
      const response = await fetch(`http://${address}/api/v2/alerts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([alert]),
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
    metric: async (pattern) => await metricOf(address, pattern),
    [Symbol.asyncDispose]: async () => {
      await stop();
      await removeFolder(folder);
    },
  };
}

/** Starts a private Prometheus with one rule: a disk that is full is an alert `DiskFull`. */
export async function startPrometheus(exporter: Exporter, alertmanagers: readonly string[]): Promise<AsyncDisposable> {
  const folder = await makePrivateFolder("prometheus");
  const rules = join(folder, "rules.yml");
  const rule = {
    alert: "DiskFull",
    // A scrape that comes too late on a loaded machine is not the end of the alert.
    expr: "last_over_time(disk_full[5s]) == 1",
    labels: { severity: "critical" },
    annotations: { summary: "Disk {{ $labels.disk }} is full", description: "Nothing can be written any more." },
  };
  const config = {
    global: { scrape_interval: "300ms", scrape_timeout: "300ms", evaluation_interval: "200ms" },
    rule_files: [rules],
    alerting: { alertmanagers: [{ static_configs: [{ targets: alertmanagers }] }] },
    scrape_configs: [{ job_name: "disks", static_configs: [{ targets: [exporter.address] }] }],
  };
  await mkdir(join(folder, "data"));
  await writeFile(rules, stringify({ groups: [{ name: "disks", rules: [rule] }] }));
  await writeFile(join(folder, "prometheus.yml"), stringify(config));
  const process = await startServerProcess({
    command: "prometheus",
    args: [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${await findFreePort()}`,
      "--rules.alert.resend-delay=2s",
    ],
    cwd: folder,
    ready: /Server is ready to receive web requests/,
    stopSignal: "SIGTERM",
    folder,
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await process.stop();
      await removeFolder(folder);
    },
  };
}

async function metricOf(address: string, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const lines = text.split("\n").filter((line) => !line.startsWith("#") && pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Waits until some Alertmanagers together have posted so many messages more to their webhook. */
export async function postsAgain(alertmanagers: readonly Alertmanager[], times: number): Promise<void> {
  const pattern = /^alertmanager_notifications_total\{.*integration="webhook"/;
  const posts = async (): Promise<number> => {
    const counts = await Promise.all(alertmanagers.map((one) => one.metric(pattern)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await posts();
  await until(async () => (await posts()) >= before + times, `${times} more posts`);
}
