import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { changedSettings, showBucket, showDomain, showFinances } from "./databases.ts";
import { ApiError, notFound } from "./errors.ts";
import { type PowerWord, powerWords, type Server } from "./servers.ts";
import { asFamilies, asSeries, measure } from "./statistics.ts";
import { copiesOf, databaseOf, serverOf, type World } from "./world.ts";

/** The longest page that is given. */
const longestPage = 100;

interface Paging {
  readonly Querystring: { readonly limit?: string; readonly offset?: string; readonly order?: string };
}
interface OfServer {
  readonly Params: { readonly id: string };
}

const answer = (body: object) => ({ ...body, response_id: randomUUID() });

/** A part of a list, and how long the whole is. */
function page(name: string, all: readonly object[], request: FastifyRequest): object {
  const { limit = "100", offset = "0" } = request.query as { limit?: string; offset?: string };
  const [count, from] = [Number(limit), Number(offset)];
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(from) || from < 0)
    throw new ApiError(400, "validation_error", "limit and offset must be numbers");
  return answer({ meta: { total: all.length }, [name]: all.slice(from, from + Math.min(count, longestPage)) });
}

/** A server as the API shows it, with the secrets that it shows. */
function show(server: Server): object {
  return {
    id: server.id,
    name: server.name,
    comment: "",
    created_at: new Date(server.createdAt).toISOString(),
    os: { id: 99, name: "ubuntu", version: "24.04" },
    software: null,
    preset_id: 2451,
    location: "ru-1",
    availability_zone: "spb-3",
    configurator_id: null,
    boot_mode: "std",
    status: server.status,
    start_at: new Date(server.startedAt).toISOString(),
    is_ddos_guard: false,
    cpu: server.cores,
    cpu_frequency: "3.3",
    ram: server.ram,
    disks: server.disks.map((disk) => ({
      id: disk.id,
      size: disk.size,
      used: server.usedOf(disk),
      type: "nvme",
      is_mounted: true,
      is_system: disk.isSystem,
      system_name: disk.isSystem ? "vda" : "vdb",
      status: "done",
    })),
    avatar_id: null,
    vnc_pass: `secret-vnc-pass-${server.id}`,
    root_pass: `secret-root-pass-${server.id}`,
    cloud_init: `#cloud-config\n# secret-cloud-init-${server.id}`,
    image: null,
    networks: [
      {
        id: `net-${server.id}`,
        type: "public",
        ips: server.addresses.map((ip, index) => ({
          type: ip.includes(":") ? "ipv6" : "ipv4",
          ip,
          ptr: "",
          is_main: index === 0,
        })),
      },
      { id: "vpc-1", type: "local", ips: [{ type: "ipv4", ip: `192.168.0.${server.id % 250}`, is_main: false }] },
    ],
    is_qemu_agent: true,
  };
}

/** What the API of Timeweb Cloud answers, of what is used of it. */
export function apiRoutes(api: FastifyInstance, world: World): void {
  serverRoutes(api, world);
  diskRoutes(api, world);
  databaseRoutes(api, world);
  api.get("/api/v1/storages/buckets", (request) => page("buckets", world.buckets.map(showBucket), request));
  api.get("/api/v1/account/finances", () => answer({ finances: showFinances(world.finances) }));
  api.get("/api/v1/domains", (request) =>
    page(
      "domains",
      world.domains.map((domain) => showDomain(domain, world.clock)),
      request,
    ),
  );
}

function serverRoutes(api: FastifyInstance, world: World): void {
  const find = (request: { readonly params: { readonly id: string } }) => serverOf(world, Number(request.params.id));
  api.get("/api/v1/servers", (request) => page("servers", [...world.servers.values()].map(show), request));
  api.get<OfServer>("/api/v1/servers/:id", (request) => answer({ server: show(find(request)) }));
  api.get<OfServer & Paging>("/api/v1/servers/:id/logs", (request) => {
    const { logs } = find(request);
    return page("server_logs", request.query.order === "asc" ? logs : logs.toReversed(), request);
  });
  api.get<OfServer & { Querystring: { date_from?: string; date_to?: string } }>(
    "/api/v1/servers/:id/statistics",
    (request) => {
      const server = find(request);
      const { date_from, date_to } = request.query;
      const [from, to] = [timeOf(date_from, "date_from"), timeOf(date_to, "date_to")];
      return answer(asFamilies(measure(server, from, to, world.stepMs, world.seed)));
    },
  );
  api.get<{ Params: { id: string; from: string; period: string; keys: string } }>(
    "/api/v1/servers/:id/statistics/:from/:period/:keys",
    (request) => {
      const server = find(request);
      const from = timeOf(request.params.from, "time_from");
      const hours = Number(request.params.period);
      if (!(hours > 0)) throw new ApiError(400, "validation_error", "period must be a number of hours");
      const samples = measure(server, from, from + hours * 3_600_000, world.stepMs, world.seed);
      return answer({ statistics: asSeries(samples, request.params.keys.split(";")) });
    },
  );
  for (const word of powerWords)
    api.post<OfServer>(`/api/v1/servers/:id/${word}`, (request, reply) => {
      find(request).order(word);
      return reply.code(204).send();
    });
  api.post<OfServer & { Body: { action?: string } | undefined }>("/api/v1/servers/:id/action", (request, reply) => {
    const word = request.body?.action?.replaceAll("_", "-");
    if (!powerWords.some((known) => known === word)) throw new ApiError(400, "validation_error", "unknown action");
    find(request).order(word as PowerWord);
    return reply.code(204).send();
  });
}

/** ISO 8601, a date, or seconds since 1970. */
function timeOf(text: string | undefined, name: string): number {
  const seconds = Number(text);
  const ms = text !== undefined && text !== "" && Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text ?? "");
  if (Number.isNaN(ms)) throw new ApiError(400, "validation_error", `${name} must be a date`);
  return ms;
}

type OfDisk = { Params: { id: string; disk: string; backup: string } };
type WithComment = { Body: { comment?: string } | undefined };

function diskRoutes(api: FastifyInstance, world: World): void {
  const root = "/api/v1/servers/:id/disks/:disk";
  const settings = new Map<string, Parameters<typeof changedSettings>[0]>();
  const settingsOf = (disk: string) =>
    settings.get(disk) ?? {
      is_enabled: false,
      copy_count: 1,
      creation_start_at: world.clock.iso(),
      interval: "day",
      day_of_week: 1,
    };
  const find = ({ params }: { params: OfDisk["Params"] }) => copiesOf(world, Number(params.id), Number(params.disk));
  api.get<OfDisk>(`${root}/backups`, (request) => page("backups", find(request).copies.list(), request));
  api.post<OfDisk & WithComment>(`${root}/backups`, (request, reply) => {
    const { copies, size } = find(request);
    return reply.code(201).send(answer({ backup: copies.add(request.body?.comment ?? "", size, 60_000) }));
  });
  api.delete<OfDisk>(`${root}/backups/:backup`, (request, reply) => {
    find(request).copies.remove(Number(request.params.backup));
    return reply.code(204).send();
  });
  api.post<OfDisk & { Body: { action?: string } | undefined }>(`${root}/backups/:backup/action`, (request, reply) => {
    if (!find(request).copies.has(Number(request.params.backup))) throw notFound("Backup");
    if (!["restore", "mount", "unmount"].includes(request.body?.action ?? ""))
      throw new ApiError(400, "validation_error", "action must be one of restore, mount, unmount");
    return reply.code(204).send();
  });
  api.get<OfDisk>(`${root}/auto-backups`, (request) => {
    find(request);
    return answer({ auto_backups_settings: settingsOf(request.params.disk) });
  });
  api.patch<OfDisk>(`${root}/auto-backups`, (request) => {
    find(request);
    const changed = changedSettings(settingsOf(request.params.disk), request.body);
    settings.set(request.params.disk, changed);
    return answer({ auto_backups_settings: changed });
  });
}

type OfDatabase = { Params: { id: string; backup: string } };

function databaseRoutes(api: FastifyInstance, world: World): void {
  const find = ({ params }: { params: { id: string } }) => databaseOf(world, Number(params.id));
  api.get("/api/v1/databases", (request) =>
    page(
      "dbs",
      [...world.databases.values()].map((one) => one.show()),
      request,
    ),
  );
  api.get<OfDatabase>("/api/v1/databases/:id", (request) => answer({ db: find(request).show() }));
  api.get<OfDatabase>("/api/v1/dbs/:id/backups", (request) => page("backups", find(request).copies.list(), request));
  api.post<OfDatabase & WithComment>("/api/v1/dbs/:id/backups", (request, reply) => {
    const copy = find(request).backUp(request.body?.comment ?? "");
    return reply.code(201).send(answer({ backup: copy ?? null }));
  });
  api.delete<OfDatabase>("/api/v1/dbs/:id/backups/:backup", (request, reply) => {
    find(request).copies.remove(Number(request.params.backup));
    return reply.code(204).send();
  });
  api.put<OfDatabase>("/api/v1/dbs/:id/backups/:backup", (request, reply) => {
    if (!find(request).copies.has(Number(request.params.backup))) throw notFound("Backup");
    return reply.code(204).send();
  });
  api.get<OfDatabase>("/api/v1/dbs/:id/auto-backups", (request) =>
    answer({ auto_backups_settings: find(request).settings }),
  );
  api.patch<OfDatabase>("/api/v1/dbs/:id/auto-backups", (request) => {
    const database = find(request);
    database.settings = changedSettings(database.settings, request.body);
    return answer({ auto_backups_settings: database.settings });
  });
}
