import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { HostSample } from "../../core/host-sample.ts";
import type { Clock } from "../../core/ports.ts";
import { redact } from "../../lib/redaction.ts";
import { networkCode } from "../../lib/resilience.ts";
import { LookError } from "../host-reading.ts";
import { HostMetrics } from "./host-metrics.ts";
import type { NodeExporterServer } from "./schema.ts";

/** What node_exporter gives is some hundred kilobytes; an answer that is longer than this is cut off. Bytes, unpacked. */
const mostBytes = 8 * 1024 * 1024;

/** Looks are minutes apart: a connection is not worth keeping. */
const plainAgent = new HttpAgent({ keepAlive: false });
const tlsAgent = new HttpsAgent({ keepAlive: false });

/** What a failure is called: the address alone, for a path or a query may hold a key. */
export function addressOf(url: string): string {
  return URL.parse(url)?.host ?? "?";
}

/**
 * Asks an exporter once for its metrics, which are read while they come in. Rejects with a `LookError`, or with the signal's
 * reason.
 */
export async function scrape(config: NodeExporterServer, clock: Clock, signal: AbortSignal): Promise<HostSample> {
  const server = addressOf(config.url);
  const limit = AbortSignal.timeout(config.timeout);
  const either = AbortSignal.any([signal, limit]);
  try {
    const response = await ask(config, either);
    try {
      checkStatus(response, server);
      const at = clock.now().getTime();
      return sampleOf(await readBody(response, server), at, server);
    } finally {
      response.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw limit.aborted ? tooLate(error, server) : failureOf(error, server);
  }
}

function ask(config: NodeExporterServer, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(config.url);
  const isTls = url.protocol === "https:";
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (isTls ? requestHttps : requestHttp)(url, {
    agent: isTls ? tlsAgent : plainAgent,
    signal,
    headers: {
      // What the exporter would give anyway; some prefer protocol buffers otherwise.
      accept: "text/plain;version=0.0.4, */*;q=0.1",
      "accept-encoding": "gzip",
      "user-agent": "vakhta",
      ...config.headers,
      ...authorization(config.auth),
    },
  });
  request.once("response", resolve);
  // Also what comes after the answer has begun: then the body tells of it.
  request.on("error", reject);
  request.end();
  return promise;
}

function authorization(auth: NodeExporterServer["auth"]): Record<string, string> {
  if (auth === undefined) return {};
  if (auth.token !== undefined) return { authorization: `Bearer ${auth.token}` };
  return {
    authorization: `Basic ${Buffer.from(`${auth.username ?? ""}:${auth.password ?? ""}`).toString("base64")}`,
  };
}

/** Statuses of whoever stands in front of an exporter that does not answer itself. */
const ofGateways: ReadonlySet<number> = new Set([502, 503, 504]);

function checkStatus({ statusCode: status = 0, headers }: IncomingMessage, server: string): void {
  if (status === 200) return;
  if (status === 401 || status === 403) {
    throw new LookError("refused", { key: "look-exporter-refused", args: { server, status } });
  }
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    throw new LookError("garbage", { key: "look-exporter-redirect", args: { server, status } });
  }
  const failure = ofGateways.has(status) ? "unreachable" : "garbage";
  throw new LookError(failure, { key: "look-exporter-status", args: { server, status } });
}

async function readBody(response: IncomingMessage, server: string): Promise<HostMetrics> {
  const metrics = new HostMetrics();
  let bytes = 0;
  for await (const chunk of unpacked(response) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      throw new LookError("garbage", { key: "look-exporter-large", args: { server, most: mostBytes / 1024 / 1024 } });
    }
    metrics.write(chunk);
  }
  return metrics;
}

function unpacked(response: IncomingMessage): Readable {
  if (response.headers["content-encoding"] !== "gzip") return response;
  // Whoever reads hears of the end and of every error.
  return pipeline(response, createGunzip(), () => undefined);
}

function sampleOf(metrics: HostMetrics, at: number, server: string): HostSample {
  const sample = metrics.end(at);
  if (sample === "garbage") throw new LookError("garbage", { key: "look-exporter-garbage", args: { server } });
  if (sample === "empty") throw new LookError("no-data", { key: "look-exporter-empty", args: { server } });
  return sample;
}

function tooLate(cause: unknown, server: string): LookError {
  return new LookError("unreachable", { key: "look-exporter-timeout", args: { server } }, { cause });
}

function failureOf(error: unknown, server: string): LookError {
  if (error instanceof LookError) return error;
  const { code = "" } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  // It speaks, but not HTTP, or packs otherwise than it says.
  if (code.startsWith("HPE_") || code.startsWith("Z_")) {
    return new LookError("garbage", { key: "look-exporter-garbage", args: { server } }, { cause: error });
  }
  const reason = networkCode(error) ?? (code || redact(error instanceof Error ? error.message : String(error)));
  return new LookError("unreachable", { key: "look-exporter-unreachable", args: { server, reason } }, { cause: error });
}
