import type { FastifyInstance } from "fastify";
import type { SandboxControl } from "./control.ts";
import type { Fault } from "./faults.ts";
import type { DiskOptions, FinancesOptions, LoadOptions, PowerDurations, ServerOptions } from "./options.ts";
import { powerWords } from "./servers.ts";

type OfServer = { Params: { id: string } };

/** The sandbox's own surface; README.md lists it. No token: whoever reaches the port may. */
export function adminRoutes(server: FastifyInstance, control: SandboxControl): void {
  server.setErrorHandler((error: Error, _request, reply) =>
    reply.code(400).send({ ok: false, error: error.message.split("\n")[0] }),
  );
  server.get("/_sandbox/state", () => ({ now: control.now(), servers: control.servers(), counts: control.counts() }));
  server.get("/_sandbox/requests", () => control.requests());
  server.delete("/_sandbox/requests", () => {
    control.forgetRequests();
    return { ok: true };
  });
  server.get("/_sandbox/faults", () => control.faults());
  server.post<{ Body: Fault }>("/_sandbox/faults", (request) => ({ id: control.addFault(bodyOf(request)) }));
  server.delete("/_sandbox/faults", () => {
    control.clearFaults();
    return { ok: true };
  });
  server.delete<OfServer>("/_sandbox/faults/:id", (request) => {
    control.removeFault(request.params.id);
    return { ok: true };
  });
  server.post<{ Body: { advanceMs?: number; now?: string } }>("/_sandbox/clock", (request) => {
    const { advanceMs, now } = bodyOf(request);
    return { now: now === undefined ? control.advance(Number(advanceMs)) : control.setTime(new Date(now)) };
  });
  server.post<{ Body: { token: string; allowed: boolean } }>("/_sandbox/tokens", (request) => {
    const { token, allowed } = bodyOf(request);
    if (allowed) control.allowToken(token);
    else control.revokeToken(token);
    return { ok: true };
  });
  server.post<{ Body: FinancesOptions }>("/_sandbox/finances", (request) => {
    control.setFinances(bodyOf(request));
    return { ok: true };
  });
  serverRoutes(server, control);
}

function serverRoutes(server: FastifyInstance, control: SandboxControl): void {
  const id = (request: { readonly params: { readonly id: string } }) => Number(request.params.id);
  server.post<{ Body: ServerOptions }>("/_sandbox/servers", (request) => {
    control.addServer(bodyOf(request));
    return { ok: true };
  });
  server.get<OfServer>("/_sandbox/servers/:id", (request) => control.server(id(request)));
  server.delete<OfServer>("/_sandbox/servers/:id", (request) => {
    control.deleteServer(id(request));
    return { ok: true };
  });
  server.patch<OfServer & { Body: { name?: string; status?: string } }>("/_sandbox/servers/:id", (request) => {
    const { name, status } = bodyOf(request);
    if (name !== undefined) control.renameServer(id(request), name);
    if (status !== undefined) control.setStatus(id(request), status);
    return control.server(id(request));
  });
  server.post<OfServer & { Body: { action: string } }>("/_sandbox/servers/:id/power", (request) => {
    const { action } = bodyOf(request);
    const word = powerWords.find((known) => known === action);
    if (!word) throw new Error(`action must be one of ${powerWords.join(", ")}`);
    control.power(id(request), word);
    return control.server(id(request));
  });
  server.post<OfServer>("/_sandbox/servers/:id/hang", (request) => {
    control.hang(id(request));
    return control.server(id(request));
  });
  server.post<OfServer & { Body: Partial<PowerDurations> }>("/_sandbox/servers/:id/durations", (request) => {
    control.setDurations(bodyOf(request), id(request));
    return { ok: true };
  });
  server.post<OfServer & { Body: LoadOptions & { forMs: number } }>("/_sandbox/servers/:id/load", (request) => {
    const { forMs, ...load } = bodyOf(request);
    if (!Number.isFinite(forMs)) throw new Error("forMs is missing");
    control.setLoad(id(request), load, forMs);
    return { ok: true };
  });
  server.post<OfServer & { Body: DiskOptions & { index?: number } }>("/_sandbox/servers/:id/disk", (request) => {
    const { index, ...change } = bodyOf(request);
    control.setDisk(id(request), change, index);
    return { ok: true };
  });
}

function bodyOf<T>(request: { readonly body: T }): NonNullable<T> {
  const { body } = request;
  if (typeof body !== "object" || body === null) throw new Error("a JSON object is expected as the body");
  return body;
}
