import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createControl, type SandboxControl } from "./control.ts";
import { sandboxToken, type TimewebSandboxOptions } from "./options.ts";
import { createApp } from "./server.ts";
import { createWorld } from "./world.ts";

export type { ClockSource } from "./clock.ts";
export type { SandboxControl, ServerState } from "./control.ts";
export type { ActiveFault, Fault } from "./faults.ts";
export { manyServers, type ServerOptions, sandboxToken, type TimewebSandboxOptions } from "./options.ts";
export type { SeenRequest } from "./requests.ts";

/** A running sandbox. */
export interface TimewebSandbox extends SandboxControl, AsyncDisposable {
  /** What to configure as `apiUrl`; without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The first token that opens the account. */
  readonly token: string;
  /** Closes the port: open connections are reset, new ones are refused. */
  refuse(): Promise<void>;
  /** Opens the port again. */
  accept(): Promise<void>;
  /** Stops everything. */
  close(): Promise<void>;
}

/** Starts a local API of Timeweb Cloud with what the options say. Rejects when the port is taken. */
export async function startTimewebSandbox(options: TimewebSandboxOptions = {}): Promise<TimewebSandbox> {
  const world = createWorld(options);
  const control = createControl(world, options.durations ?? {});
  const app = await createApp(world, control);
  const server = createServer((request, response) => app.routing(request, response));
  // As long as a client keeps its own: a request that meets the end of its connection would be a fault nobody asked for.
  server.keepAliveTimeout = 60_000;
  const host = options.host ?? "127.0.0.1";
  const listen = async (port: number): Promise<number> => {
    const listening = once(server, "listening");
    server.listen(port, host);
    await listening;
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(options.port ?? 0);
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const close = async (): Promise<void> => {
    await refuse();
    await app.close();
  };
  return {
    ...control,
    url: `http://${host}:${port}`,
    port,
    token: options.tokens?.[0] ?? sandboxToken,
    refuse,
    async accept() {
      if (!server.listening) await listen(port);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
