import { powerCommand } from "./power.ts";

export const shutdown = powerCommand("shutdown");
