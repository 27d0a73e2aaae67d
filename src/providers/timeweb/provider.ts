import { AppError, toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { LookFailure, ServerFacts, ServerReading } from "../../core/server.ts";
import type { Text } from "../../core/text.ts";
import { TimewebClient } from "../../lib/clients/timeweb.ts";
import { seriesSchema, statisticsSchema, type TimewebServer } from "../../lib/clients/timeweb-schema.ts";
import { registerSecret } from "../../lib/redaction.ts";
import { looksOf, Slots } from "../looks.ts";
import type { Inventory, Look, Power, Provider, ProviderDeps, ServerTarget } from "../types.ts";
import { factsOf } from "./facts.ts";
import { StatisticsHealth } from "./health.ts";
import { TimewebInventory } from "./inventory.ts";
import { TimewebPower } from "./power.ts";
import { concurrency, type TimewebAccount, type TimewebServerConfig } from "./schema.ts";
import { type Listing, ServerList } from "./server-list.ts";
import { diskMetrics, newestOf, newestOfSeries, type Sample } from "./statistics.ts";

/** How far back measurements are asked for; milliseconds. */
const spanMs = 20 * 60_000;
/** Older ones say nothing of now; milliseconds. */
const staleMs = 15 * 60_000;

interface LookFlags {
  readonly ofApi?: boolean;
  readonly permanent?: boolean;
}

/** Why a look gave nothing, thrown within it. */
class LookError extends Error {
  readonly failure: LookFailure;
  readonly reason: Text;
  readonly ofApi: boolean;
  readonly permanent: boolean;

  constructor(failure: LookFailure, reason: Text, flags: LookFlags = {}) {
    super(failure);
    this.failure = failure;
    this.reason = reason;
    this.ofApi = flags.ofApi ?? false;
    this.permanent = flags.permanent ?? false;
  }
}

/** Servers of an account of Timeweb Cloud. */
export class TimewebProvider implements Provider {
  readonly power: Power;
  readonly inventory: Inventory;
  readonly #client: TimewebClient;
  readonly #list: ServerList;
  readonly #health: StatisticsHealth<LookError>;
  readonly #clock: Clock;
  readonly #slots = new Slots(concurrency);
  readonly #closing = new AbortController();

  constructor(name: string, { token, apiUrl, rate, burst, timeout }: TimewebAccount, deps: ProviderDeps) {
    registerSecret(token);
    this.#clock = deps.clock;
    this.#client = new TimewebClient({
      account: name,
      apiUrl,
      token,
      rate: deps.rateLimit(name, rate, burst),
      timeoutMs: timeout,
    });
    this.#list = new ServerList(this.#client, deps.clock);
    this.#health = new StatisticsHealth<LookError>(deps.clock);
    this.power = new TimewebPower(this.#client, this.#list);
    this.inventory = new TimewebInventory(this.#client, name);
  }

  looks(servers: readonly ServerTarget[], signal: AbortSignal): AsyncIterable<Look> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return looksOf(servers as readonly ServerTarget<TimewebServerConfig>[], either, async (server, stop) => {
      const began = performance.now();
      const { name } = server;
      const tookMs = () => Math.round(performance.now() - began);
      try {
        const reading = await this.#look(server.config.id, stop);
        return { name, reading, tookMs: tookMs() };
      } catch (error) {
        stop.throwIfAborted();
        const { failure, reason, ofApi, permanent } = lookError(error);
        return { name, failure, reason, tookMs: tookMs(), ...(permanent && { permanent }), ...(ofApi && { ofApi }) };
      }
    });
  }

  async facts(servers: readonly ServerTarget[], signal: AbortSignal): Promise<ReadonlyMap<string, ServerFacts>> {
    const listing = await this.#list.read(signal);
    const found = await Promise.all(
      servers.map(async ({ name, config }) => {
        const { id } = config as TimewebServerConfig;
        const server = await this.#list.find(listing, id, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          // What was listed is good enough here.
          const listed = listing.servers.get(id);
          if (!listed) throw error;
          return listed;
        });
        return server ? ([[name, factsOf(server)]] as const) : [];
      }),
    );
    return new Map(found.flat());
  }

  close(): Promise<void> {
    this.#closing.abort(new AppError("interrupted", "the provider was closed", { permanent: false }));
    this.#list.close();
    return Promise.resolve();
  }

  async #look(id: number, signal: AbortSignal): Promise<ServerReading> {
    const listing = await this.#list.read(signal);
    const server = await this.#find(listing, id, signal);
    const { status = "unknown", disks } = factsOf(server);
    const theirNow = this.#clock.now().getTime() + listing.aheadMs;
    if (status !== "on" && status !== "unknown") return { at: new Date(theirNow), status, metrics: {} };
    const sample = await this.#sample(id, theirNow, status === "unknown", signal);
    if (!sample) return { at: new Date(theirNow), status, metrics: diskMetrics(disks) };
    const bootedAt = server.start_at && server.start_at <= sample.at ? server.start_at : undefined;
    const uptime = bootedAt && { uptime: Math.round((sample.at.getTime() - bootedAt.getTime()) / 1000) };
    return { at: sample.at, status, metrics: { ...sample.metrics, ...diskMetrics(disks), ...uptime }, bootedAt };
  }

  /** The newest measurements. `optional`: with a status that nobody knows there may be none, and undefined is enough. */
  async #sample(id: number, theirNow: number, optional: boolean, signal: AbortSignal): Promise<Sample | undefined> {
    try {
      const sample = await this.#slots.use(signal, () => this.#ask(id, theirNow, signal));
      const age = sample ? theirNow - sample.at.getTime() : spanMs;
      // Told without a zone, a time can seem to lie ahead.
      if (sample && age < staleMs) return age < 0 ? { ...sample, at: new Date(theirNow) } : sample;
      throw new LookError("no-data", { key: "look-no-statistics", args: { minutes: Math.round(age / 60_000) } });
    } catch (error) {
      signal.throwIfAborted();
      if (optional) return undefined;
      throw error;
    }
  }

  /** Form (a), and where that fails (b). */
  async #ask(id: number, theirNow: number, signal: AbortSignal): Promise<Sample | undefined> {
    // By now others may have found out that there is nothing to be had.
    const fault = this.#health.fault();
    if (fault) throw fault;
    const from = isoSecond(theirNow - spanMs);
    const path = `/api/v1/servers/${id}/statistics`;
    try {
      const query = { date_from: from, date_to: isoSecond(theirNow) };
      const { data } = await this.#client.get(path, statisticsSchema, signal, { query, once: true });
      this.#health.succeeded(id);
      return newestOf(data);
    } catch (error) {
      signal.throwIfAborted();
      if (isOfAccount(error)) throw this.#broken(error);
      const keys = "system.cpu.util;network.request;network.response";
      const other = `${path}/${encodeURIComponent(from)}/1/${encodeURIComponent(keys)}`;
      try {
        const { data } = await this.#client.get(other, seriesSchema, signal, { once: true });
        this.#health.succeeded(id);
        return newestOfSeries(data);
      } catch (second) {
        signal.throwIfAborted();
        // The first says more: it is the form that is meant to work.
        throw isOfAccount(second) ? this.#broken(second) : await this.#unmeasured(id, toAppError(error), signal);
      }
    }
  }

  /** The account itself is refused: nobody else asks for a while. */
  #broken(error: unknown): LookError {
    const fault = lookError(error);
    this.#health.broke(fault);
    return fault;
  }

  async #find(listing: Listing, id: number, signal: AbortSignal): Promise<TimewebServer> {
    try {
      const server = await this.#slots.use(signal, () => this.#list.find(listing, id, signal));
      if (server) return server;
    } catch (error) {
      signal.throwIfAborted();
      if (isOfAccount(error)) throw error;
      throw apiFault("no-data", textOf(toAppError(error)));
    }
    throw goneError(id);
  }

  /** The API does not give a server's measurements: its affair, unless that goes on from server to server. */
  async #unmeasured(id: number, error: AppError, signal: AbortSignal): Promise<LookError> {
    const reason = awayText(error);
    if (error.code === "not-found") {
      // Listed a minute ago, and deleted since.
      const server = await this.#list.ask(id, signal).catch(() => "unknown");
      signal.throwIfAborted();
      return server === undefined ? goneError(id) : apiFault("no-data", reason);
    }
    if (error.code === "provider-refused") return apiFault("refused", reason);
    const fault = apiFault("account", textOf(error));
    if (this.#health.failed(id, fault)) return fault;
    return apiFault(error.code === "provider-failed" ? "garbage" : "no-data", reason);
  }
}

/** As the documentation shows times, and with their zone. */
const isoSecond = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

const apiFault = (failure: LookFailure, reason: Text) => new LookError(failure, reason, { ofApi: true });
const goneError = (id: number) => new LookError("gone", { key: "look-gone", args: { id: String(id) } });

/** True for what would meet every other request of the account as well. */
function isOfAccount(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  if (error.code === "provider-token" || error.code === "redis" || error.context["why"] === "rate") return true;
  return error.context["why"] === "network" && error.context["done"] === false;
}

/** What was thrown before anything was said of this server alone is the account's. */
function lookError(error: unknown): LookError {
  if (error instanceof LookError) return error;
  const known = toAppError(error);
  return new LookError("account", textOf(known), { ofApi: true, permanent: known.permanent });
}

function textOf({ text, message }: AppError): Text {
  return text ?? { key: "error-internal", args: { reason: message } };
}

function awayText({ code, context }: AppError): Text {
  const { status } = context;
  if (typeof status !== "number") return { key: "look-statistics-silent" };
  return code === "provider-failed" && status < 300
    ? { key: "look-statistics-garbage" }
    : { key: "look-statistics-status", args: { status } };
}
