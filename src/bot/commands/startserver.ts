import { powerCommand } from "./power.ts";

export const startserver = powerCommand("startserver");
