import { powerCommand } from "./power.ts";

export const reboot = powerCommand("reboot");
