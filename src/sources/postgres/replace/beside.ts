import { AppError } from "../../../core/errors.ts";
import type { ManifestPart } from "../../../core/manifest.ts";
import type { ReplacementIdentity, ReplacementLook } from "../../../core/replacement.ts";
import type { Beside, BesideOrder, ReplacementContext } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { createDatabase, dropDatabases, giveProperties, giveRights } from "../database.ts";
import type { Definition } from "../definitions.ts";
import { requireEmpty } from "../empty.ts";
import { quoteIdentifier, quoteLiteral } from "../names.ts";
import { warnOf } from "../restore.ts";
import { asBackedUp, prepare, restoreInto } from "../restore-database.ts";
import type { PostgresConfig } from "../schema.ts";
import type { Site } from "../site.ts";
import { folderForStages, type Machine, sweepUnpacked } from "../unpacked.ts";
import { type Found, findDatabase, isBeingMade, lookBeside, makingMark } from "./beside-look.ts";
import { changed } from "./exchange.ts";
import { endLeftovers, type Hold, openGround, takeHold } from "./ground.ts";
import { partOf } from "./part.ts";
import { compare, full, isFull, refused } from "./prepare.ts";
import { endHaste, makeHaste } from "./properties.ts";
import { taken } from "./seen.ts";

const waitMs = 2000;
/** After a kill the server may still be at work for the killed one. */
const recoverWaitMs = 30_000;
/** Milliseconds for dropping what a failed restore has made. */
const dropWithinMs = 60_000;

/** Restores a database into a new one on the same server. */
export class DatabaseBeside implements Beside {
  readonly #config: PostgresConfig;
  readonly #order: BesideOrder;
  readonly #machine: Machine;

  constructor(config: PostgresConfig, order: BesideOrder, machine: Machine) {
    this.#config = config;
    this.#order = order;
    this.#machine = machine;
  }

  async look(manifest: BackupReader["manifest"], options: { reader?: BackupReader; signal: AbortSignal }) {
    const part = partOf(manifest, this.#order.only);
    const site = await this.#open(options.signal, manifest.source);
    return await this.#look(site, { manifest, part, reader: options.reader });
  }

  async make(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { to, only, id } = this.#order;
    const { manifest } = reader;
    const part = partOf(manifest, only);
    const site = await this.#open(context.signal, manifest.source);
    await sweepUnpacked(this.#machine.folder);
    await using hold = await takeHold(site, to, waitMs);
    if (context.journal !== undefined) await endLeftovers(hold, id);
    requireServer(site, context.identity, to);
    await using folder = await folderForStages(this.#machine, part, this.#config);
    const archive = await prepare(site, { reader, part, signal: context.signal }, asBackedUp, folder?.path);
    const found = await findDatabase(hold, to);
    if (found !== undefined && isMade(found, context)) {
      await finish(site, to, archive.definitions);
      return await compare(site, to, archive, 0);
    }
    await clear(hold, this.#order, found, context);
    const look = await this.#look(site, { manifest, part, reader });
    const [obstacle] = look.obstacles.filter(({ key }) => key !== "replace-obstacle-busy");
    if (obstacle !== undefined) throw refused(to, obstacle);
    const started = performance.now();
    await context.record({ step: "make", facts: { database: to } });
    try {
      await createDatabase(site, to, archive.definitions, { tablespaces: true });
      const oid = (await findDatabase(hold, to))?.oid ?? "";
      await hold.query(commentStatement(to, makingMark(id, oid)));
      const facts = { database: to, made: oid };
      await context.record({ step: "fill", facts });
      await makeHaste(site, to, look.jobs);
      await giveRights(site, to, archive.definitions);
      let read = 0;
      const progress = (bytes: number): void => {
        read += bytes;
        context.progress?.(read);
      };
      const parallel = { jobs: look.jobs, folder: this.#machine.folder };
      const filled = await restoreInto(site, to, archive, asBackedUp, { progress, parallel });
      const restoreMs = performance.now() - started;
      // Before its own settings, which may be the same ones.
      await endHaste(site, to);
      await giveProperties(
        site,
        to,
        archive.definitions.filter((each) => !isRemark(each)),
        asBackedUp,
      );
      await context.record({ step: "compare", facts });
      const report = await compare(site, to, archive, restoreMs, { filled });
      await context.record({ step: "prepared", facts });
      await finish(site, to, archive.definitions);
      return report;
    } catch (error) {
      await this.#takeBack(hold, context);
      throw isFull(error) ? full(error, to) : error;
    }
  }

  async discard(context: ReplacementContext): Promise<void> {
    const { to, id } = this.#order;
    await sweepUnpacked(this.#machine.folder);
    const site = await this.#open(context.signal);
    await using hold = await takeHold(site, to, recoverWaitMs);
    await endLeftovers(hold, id);
    const found = await findDatabase(hold, to);
    if (found === undefined || isMade(found, context)) return;
    if (isBeingMade(found, id) || context.journal?.step === "make") await clear(hold, this.#order, found, context);
  }

  #look(
    site: Site,
    backup: { manifest: BackupReader["manifest"]; part: ManifestPart; reader: BackupReader | undefined },
  ): Promise<ReplacementLook> {
    const { to, id } = this.#order;
    return lookBeside(site, backup, { to, id, machine: this.#machine, via: this.#config.via });
  }

  #open(signal: AbortSignal, source?: BackupReader["manifest"]["source"]): Promise<Site> {
    const { id, to, logger } = this.#order;
    return openGround(this.#config, { id, database: to, signal, logger, ...(source && { source }) });
  }

  /** Not under the signal, which may be why it failed. What is left here is removed by `discard`. */
  async #takeBack(hold: Hold, { signal }: ReplacementContext): Promise<void> {
    const { to, id } = this.#order;
    const site = { ...hold.site, signal: AbortSignal.timeout(dropWithinMs) };
    try {
      const found = await findDatabase(hold, to);
      if (found === undefined) return;
      if (!isBeingMade(found, id)) await requireEmpty(site, to);
      await dropDatabases(site, [to], site.signal);
    } catch (error) {
      if (signal.aborted) site.logger.info({ database: to }, "what was made for a restore is left for its recovery");
      else warnOf(site.logger, `database ${to} is left behind by the restore that failed`)(error);
    }
  }
}

/** Whole, by the word of whoever has recorded it, and still the same one. */
function isMade({ oid }: Found, { journal }: ReplacementContext): boolean {
  return journal?.step === "prepared" && journal.facts.made === oid;
}

/** Removes what a killed attempt has left; rejects with `conflict` for what is not of this order. */
async function clear(
  { site }: Hold,
  { to, id }: BesideOrder,
  found: Found | undefined,
  { journal }: ReplacementContext,
): Promise<void> {
  if (found === undefined) return;
  if (!isBeingMade(found, id)) {
    // Between its making and its mark nothing is filled in: what has anything in it is somebody else's.
    if (journal?.step !== "make") throw taken(to);
    await requireEmpty(site, to).catch((error: unknown) => {
      throw error instanceof AppError && error.code === "conflict" ? taken(to) : error;
    });
  }
  await dropDatabases(site, [to], site.signal);
}

/** Its own comment takes the place of the mark: then it is a database like any other. */
async function finish(site: Site, database: string, definitions: readonly Definition[]): Promise<void> {
  const own = definitions.filter((each) => isRemark(each));
  await giveProperties(site, database, [withoutComment, ...own], asBackedUp);
}

const withoutComment: Definition = {
  type: "COMMENT",
  schema: "-",
  name: "DATABASE x",
  owner: "",
  sql: "COMMENT ON DATABASE x IS NULL;",
};

function isRemark({ type, name }: Definition): boolean {
  return type === "COMMENT" && name.startsWith("DATABASE ");
}

function commentStatement(name: string, text: string): string {
  return `COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(text)}`;
}

function requireServer(site: Site, identity: ReplacementIdentity, to: string): void {
  const { systemIdentifier: system } = site.server;
  const same = identity.system === undefined || system === undefined || identity.system === system;
  if (!same || identity.database !== to) throw changed(to);
}
