import { lazyProvider } from "../lazy.ts";
import type { ProviderKind } from "../types.ts";
import { concurrency, nodeExporterServerSchema } from "./schema.ts";

/** Servers on which Prometheus' node_exporter runs; without an account. */
export const nodeExporterProvider: ProviderKind = {
  kind: "node-exporter",
  serverSchema: nodeExporterServerSchema,
  onHost: false,
  concurrency,
  create: (_account, deps) => lazyProvider(async () => new (await import("./provider.ts")).NodeExporters(deps), {}),
};
