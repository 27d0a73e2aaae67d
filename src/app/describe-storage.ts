import type { Config } from "./config.ts";

/**
 * Where a storage is, from its settings alone: the chat says it without opening anything. Whose disk a local one is on
 * is only said where the settings say it: this process need not run on the same host as the worker.
 */
export function describeStorage(config: Config, name: string): string {
  const storage = config.storages[name];
  if (!storage) return name;
  if (storage.kind === "local") return `${storage.host === undefined ? "" : `${storage.host}:`}${storage.path}`;
  return `s3://${storage.bucket}/${storage.prefix}`.replace(/\/$/, "");
}
