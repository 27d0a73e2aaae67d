/** What can be asked of a server's power. `hard`: as if the plug were pulled. */
export const powerActions = ["start", "shutdown", "reboot", "hard-reboot", "hard-shutdown"] as const;
export type PowerAction = (typeof powerActions)[number];
