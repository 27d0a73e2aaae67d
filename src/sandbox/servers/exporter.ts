import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { ExporterHost, type HostSettings } from "./exporter-host.ts";

/** What an exporter does instead of giving its metrics. */
export type ExporterFault =
  /** Takes the request and never answers. */
  | { readonly kind: "stall" }
  /** Answers so many milliseconds later. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Answers with this status, and a page of HTML unless `body` is given. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  /** Answers 200 with this. */
  | { readonly kind: "body"; readonly body: string | Buffer; readonly headers?: Record<string, string> }
  /** Lines of metrics for ever. */
  | { readonly kind: "endless" }
  /** The beginning of the metrics, and never the rest. */
  | { readonly kind: "halt" }
  /** The beginning of the metrics, then the connection is reset. */
  | { readonly kind: "cut" };

export interface ExporterOptions {
  readonly now?: () => Date;
  /** What a request must have in its header Authorization; else it is answered with 401. */
  readonly authorization?: string;
  /** Bytes of metrics of which nobody asks, in front of the others: exporters of real hosts give some hundred kilobytes. */
  readonly padding?: number;
}

export interface ExporterRequest {
  readonly host: string;
  /** When it came, by the machine's clock; milliseconds since 1970. */
  readonly at: number;
  readonly headers: IncomingMessage["headers"];
}

export interface Exporter extends AsyncDisposable {
  readonly port: number;
  /** Requests so far, in the order of their arrival. */
  readonly requests: readonly ExporterRequest[];
  /** Connections that are open now, and the most that were at a time. */
  readonly connections: { readonly open: number; readonly most: number };
  /** Where the metrics of a host are; a host is there as soon as it is named. */
  url(host: string): string;
  set(host: string, settings: HostSettings): void;
  reboot(host: string, runsFor?: number): void;
  setClock(host: string, aheadMs: number): void;
  /** Adds a fault, for the hosts whose names match and any number of times unless told; the function takes it away. */
  inject(fault: ExporterFault, scope?: { readonly host?: RegExp; readonly times?: number }): () => void;
  /** Closes the port: open connections are reset, new ones are refused. */
  refuse(): Promise<void>;
  /** Opens it again. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

interface ActiveFault {
  readonly fault: ExporterFault;
  readonly host: RegExp | undefined;
  left: number;
}

/** Starts exporters of any number of made-up hosts on one free port of 127.0.0.1. */
export async function startExporter(options: ExporterOptions = {}): Promise<Exporter> {
  const { now = () => new Date(), authorization, padding = 0 } = options;
  const hosts = new Map<string, ExporterHost>();
  const requests: ExporterRequest[] = [];
  const faults: ActiveFault[] = [];
  const connections = { open: 0, most: 0 };
  const front = paddingOf(padding);

  const hostOf = (name: string): ExporterHost => {
    const known = hosts.get(name);
    if (known) return known;
    const made = new ExporterHost(name, now().getTime());
    hosts.set(name, made);
    return made;
  };
  const faultFor = (host: string): ExporterFault | undefined => {
    const found = faults.find((one) => one.left > 0 && (one.host?.test(host) ?? true));
    if (found) found.left -= 1;
    return found?.fault;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const host = hostIn(request.url ?? "");
    if (host === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
      return;
    }
    requests.push({ host, at: Date.now(), headers: request.headers });
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end("Unauthorized\n");
      return;
    }
    const metrics = Buffer.concat([front, Buffer.from(hostOf(host).metrics(now().getTime()))]);
    misbehave(request, response, faultFor(host), metrics);
  };
  const server = createServer(answer);
  server.on("connection", (socket) => {
    connections.open += 1;
    connections.most = Math.max(connections.most, connections.open);
    socket.once("close", () => {
      connections.open -= 1;
    });
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    port,
    requests,
    connections,
    url: (host) => `http://127.0.0.1:${port}/t/${encodeURIComponent(host)}/metrics`,
    set: (host, settings) => hostOf(host).set(now().getTime(), settings),
    reboot: (host, runsFor) => hostOf(host).reboot(now().getTime(), runsFor),
    setClock: (host, aheadMs) => hostOf(host).setClock(aheadMs),
    inject(fault, { host, times = Number.POSITIVE_INFINITY } = {}) {
      const active = { fault, host, left: times };
      faults.push(active);
      return () => {
        active.left = 0;
      };
    },
    refuse: stop,
    accept: () => listen(port),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Whose metrics a path asks for; undefined: nobody's. */
function hostIn(path: string): string | undefined {
  const [, encoded] = /^\/t\/([^/?]+)\/metrics(?:\?.*)?$/.exec(path) ?? [];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

function misbehave(
  request: IncomingMessage,
  response: ServerResponse,
  fault: ExporterFault | undefined,
  metrics: Buffer,
): void {
  const page = "<html><head><title>Sorry</title></head>\n<body>\n<h1>Something is wrong</h1>\n</body></html>\n";
  switch (fault?.kind) {
    case undefined:
      give(request, response, metrics);
      return;
    case "stall":
      return;
    case "slow":
      setTimeout(() => give(request, response, metrics), fault.ms).unref();
      return;
    case "status":
      response.writeHead(fault.status, { "content-type": "text/html", ...fault.headers }).end(fault.body ?? page);
      return;
    case "body":
      response.writeHead(200, fault.headers).end(fault.body);
      return;
    case "halt":
    case "cut":
      response.writeHead(200, { "content-length": metrics.length });
      response.write(metrics.subarray(0, metrics.length / 2), () => {
        if (fault.kind === "cut") response.destroy();
      });
      return;
    case "endless": {
      response.writeHead(200);
      const piece = paddingOf(60_000);
      const more = (): void => {
        if (response.destroyed) return;
        if (response.write(piece)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
      return;
    }
    default:
      fault satisfies never;
  }
}

function give(request: IncomingMessage, response: ServerResponse, metrics: Buffer): void {
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
  if (!/\bgzip\b/.test(String(request.headers["accept-encoding"]))) response.writeHead(200, headers).end(metrics);
  else response.writeHead(200, { ...headers, "content-encoding": "gzip" }).end(gzipSync(metrics, { level: 1 }));
}

/** Lines such as exporters of real hosts give by the thousand. */
function paddingOf(bytes: number): Buffer {
  const lines: string[] = [];
  for (let length = 0, unit = 0; length < bytes; unit += 1) {
    const line = `node_systemd_unit_state{name="unit-${unit}.service",state="active",type="simple"} ${unit % 2}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(""));
}
