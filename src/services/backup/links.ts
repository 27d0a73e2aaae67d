import { createHash } from "node:crypto";
import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { manifestFile } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact } from "../../lib/redaction.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { LinkedFile, LinkOrder, Links } from "../../state/links.ts";
import type { Storage } from "../../storages/types.ts";
import { enqueueAnew, hostOfCopies } from "../places.ts";
import { readCopyManifest } from "./proofs.ts";

/** How long a download link works; milliseconds. */
export const linkMs = 10 * 60_000;
/** More files of one backup are not linked: a message has no room for them. */
const mostFiles = 20;

export interface LinkOrdersDeps {
  readonly config: Pick<Config, "backups" | "storages">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly links: Links;
  readonly producer: Producer;
}

/** Takes orders for download links. Opens no storage. */
export class LinkOrders {
  readonly #deps: LinkOrdersDeps;

  constructor(deps: LinkOrdersDeps) {
    this.#deps = deps;
  }

  /** Of the storages that hold a copy, one that gives links; undefined: all of them are disks of workers. */
  storageFor(copies: readonly string[]): string | undefined {
    const { storages } = this.#deps.config;
    return copies.find((storage) => storages[storage] !== undefined && storages[storage].kind !== "local");
  }

  /** Asks for the links of a backup into a chat; nothing more to do while those that were asked for are under way. */
  async request(order: Omit<LinkOrder, "id" | "at">): Promise<void> {
    const { links, clock, producer, config, logger } = this.#deps;
    const { name, run, storage, by, chatId } = order;
    const id = createHash("sha256").update(`${chatId} ${name} ${run}`).digest("base64url").slice(0, 16);
    if (!(await links.create({ ...order, id, at: clock.now().toISOString() }))) return;
    const host = hostOfCopies(config, storage, name);
    await enqueueAnew(producer, "link", { id }, { id: `link.${id}`, host });
    logger.info({ backup: name, run, storage, by: by.id }, "download link ordered");
  }
}

export interface LinkMakerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly links: Links;
  readonly host: string;
  storage(name: string): Promise<Storage>;
}

/** Makes download links where the storage can be reached. What it answers is never in a log, nor in a job's result. */
export class LinkMaker {
  readonly #deps: LinkMakerDeps;

  constructor(deps: LinkMakerDeps) {
    this.#deps = deps;
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { links, clock, logger, host } = this.#deps;
    const order = await links.read(id);
    if (!order) return { done: { link: id, status: "unknown" } };
    const { name, run, storage, by } = order;
    try {
      // Before the first of them is signed.
      const until = new Date(clock.now().getTime() + linkMs).toISOString();
      const made = await linksTo(await this.#deps.storage(storage), order.folder, job.signal);
      await links.answer(order, { ...made, until }, host, clock.now());
      logger.info({ backup: name, run, storage, by: by.id, files: made.files.length }, "download link made");
      return { done: { link: id, status: "made" } };
    } catch (cause) {
      job.signal.throwIfAborted();
      const error = toAppError(cause);
      if (!error.permanent && job.attempt < job.maxAttempts) throw error;
      const { message, text } = error;
      const answer = { error: { message: redact(message), ...(text ? { text } : {}) } };
      await links.answer(order, answer, host, clock.now());
      logger.warn({ backup: name, run, storage, by: by.id, code: error.code }, "no download link could be made");
      return { done: { link: id, status: "failed", code: error.code } };
    }
  }
}

async function linksTo(
  storage: Storage,
  folder: string,
  signal: AbortSignal,
): Promise<{ files: LinkedFile[]; more: number; encrypted: boolean }> {
  if (!storage.presign) {
    const text = { key: "error-link-local", args: { storage: storage.name } };
    throw new AppError("config", `storage ${storage.name} gives no links`, { text });
  }
  const { manifest } = await readCopyManifest(storage, folder, undefined, signal);
  const wanted = [
    ...manifest.parts.map(({ file, bytes }) => ({ object: `${folder}${file}`, file, bytes })),
    { object: `${folder}${manifestFile}`, file: manifestFile },
    // Parts of earlier runs that it needs, by the names of their folders.
    ...manifest.references.map(({ folder: other, file, bytes }) => ({
      object: `${other}${file}`,
      file: `${other}${file}`,
      bytes,
    })),
  ];
  const files: LinkedFile[] = [];
  for (const { object, ...named } of wanted.slice(0, mostFiles))
    files.push({ ...named, url: await storage.presign(object, linkMs / 1000) });
  return { files, more: wanted.length - files.length, encrypted: manifest.encryption !== undefined };
}
