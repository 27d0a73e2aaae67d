import { lazyProvider } from "../lazy.ts";
import type { ProviderKind } from "../types.ts";
import { localServerSchema } from "./schema.ts";

/** The host that the worker itself runs on; in a container, what can be seen of it from there. */
export const localProvider: ProviderKind = {
  kind: "local",
  serverSchema: localServerSchema,
  onHost: true,
  concurrency: 1,
  create: (_account, deps) =>
    lazyProvider(async () => new (await import("./provider.ts")).LocalHost(deps), { facts: true }),
};
