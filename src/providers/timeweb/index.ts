import { AppError } from "../../core/errors.ts";
import { powerActions } from "../../core/power.ts";
import { lazyProvider } from "../lazy.ts";
import type { ProviderKind } from "../types.ts";
import { concurrency, consoleUrl, type TimewebAccount, timewebAccountSchema, timewebServerSchema } from "./schema.ts";

/** Timeweb Cloud: what its API tells of an account's servers, and orders about their power. */
export const timewebProvider: ProviderKind = {
  kind: "timeweb",
  accountSchema: timewebAccountSchema,
  serverSchema: timewebServerSchema,
  onHost: false,
  concurrency,
  power: powerActions,
  create(account, deps) {
    if (!account) throw new AppError("config", "servers of timeweb belong to an account: add it under providers");
    const { name, config } = account;
    const load = async () => {
      const { TimewebProvider } = await import("./provider.ts");
      return new TimewebProvider(name, config as TimewebAccount, deps);
    };
    return lazyProvider(load, { facts: true, inventory: true, power: { actions: powerActions, consoleUrl } });
  },
};
