import type { Config } from "./config.ts";

/** Where a storage is, from its settings alone: the chat says it without opening anything. */
export function describeStorage(config: Config, name: string): string {
  const storage = config.storages[name];
  if (!storage) return name;
  if (storage.kind === "local") return `local@${storage.host ?? config.worker.host}:${storage.path}`;
  return `s3://${storage.bucket}/${storage.prefix}`.replace(/\/$/, "");
}
