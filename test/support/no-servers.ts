import { recoverySchema } from "../../src/app/config/rules.ts";
import { statsSchema } from "../../src/app/config/servers.ts";

/** The parts of a configuration that speak of servers, as they are where nothing is said of any. */
export const noServers = {
  providers: {},
  servers: [],
  rules: [],
  stats: statsSchema.parse({}),
  recovery: recoverySchema.parse({}),
};
