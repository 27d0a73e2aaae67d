import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import type { Manifest } from "../../core/manifest.ts";
import { registerSecret } from "../../lib/redaction.ts";
import type { BackupReader, RestoreReport, RestoreTarget, TargetLook } from "../types.ts";
import { privateFolder } from "./folder.ts";
import { keyspace, totalKeys, versionOf } from "./info.ts";
import { load } from "./load.ts";
import { untilEqual, untilPersisted } from "./replicate.ts";
import type { RedisConfig } from "./schema.ts";
import { freePort } from "./server.ts";
import { RestoreGoal, requireNotOlder } from "./target.ts";
import { compareKeys } from "./test-restore.ts";
import { cliFor, toolVersions } from "./tools.ts";
import { addressOf } from "./url.ts";

/**
 * Fills an empty, running Redis: a private one loads the snapshot, the target becomes its replica until it holds the
 * same, and is made a master again. A file put in the place of its own would be ignored where an append-only file
 * exists, and needs a restart.
 */
export async function restore(
  reader: BackupReader,
  target: RestoreTarget,
  config?: RedisConfig,
): Promise<RestoreReport> {
  const begin = performance.now();
  const { to, signal, logger } = target;
  const goal = new RestoreGoal(cliFor(addressOf(to), { tls: config?.tls, bin: config?.bin }), signal);
  await goal.requireEmpty(-1);
  const address = await goal.ownAddress();
  const listen = { address, port: await freePort(address), password: randomBytes(24).toString("hex") };
  registerSecret(listen.password);
  await using folder = await privateFolder();
  const progress = (bytes: number): void => target.progress?.(bytes);
  const { server, entries } = await load(reader, { folder: folder.path, signal, listen, progress });
  await using _running = server;
  const loaded = await server.info();
  // Counted before anything can expire: once it is a master, keys whose time has come vanish, as they should.
  const report = compareKeys(entries, totalKeys(loaded), keyspace(loaded).size);
  await new RestoreGoal(server.cli, signal).ask(["REPLICAOF NO ONE"]);
  requireNotOlder(await goal.requireEmpty(Math.max(-1, ...keyspace(loaded).keys())), loaded);
  const release = await goal.follow(listen.address, listen.port, listen.password);
  try {
    await untilEqual(
      () => goal.info(),
      () => server.info(),
      signal,
    );
  } finally {
    await release().catch((error: unknown) => {
      logger.error({ err: error }, "the target is still a replica: REPLICAOF NO ONE makes it a master");
      throw error;
    });
  }
  const saves = (await goal.setting("save")) !== "";
  await untilPersisted(() => goal.info(), signal);
  if (saves) await goal.ask(["BGSAVE"]);
  await untilPersisted(() => goal.info(), signal);
  return { restoreMs: Math.round(performance.now() - begin), ...report };
}

/** Whether the target is an empty server that can be filled from here. Touches nothing; rejects as `restore` does. */
export async function lookAtTarget(
  _manifest: Manifest,
  { to, signal }: RestoreTarget,
  config?: RedisConfig,
): Promise<TargetLook> {
  const goal = new RestoreGoal(cliFor(addressOf(to), { tls: config?.tls, bin: config?.bin }), signal);
  const { product, version } = versionOf(await goal.requireEmpty(-1));
  await goal.ownAddress();
  const { cli } = await toolVersions({ bin: config?.bin }, signal);
  // The snapshot is unpacked beside the private server that loads it.
  return { facts: { [product]: version, "redis-cli": cli }, folder: tmpdir() };
}
