import { formatBytes, formatDuration } from "../messages/format.ts";
import { reasonText } from "../messages/index.ts";
import { type FillObserver, fillStorage } from "../services/restore/copies.ts";
import type { Storage } from "../storages/types.ts";
import { ProgressBar } from "./bar.ts";
import { openPlace, type PlaceOptions } from "./place.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface CopyOptions extends Pick<PlaceOptions, "path"> {
  /** Names of the configuration, or addresses. */
  readonly from: string;
  readonly to: string;
  readonly json?: boolean;
}

/**
 * `vakhta copy [which] --from <storage> --to <storage>`: fills a storage from another one, byte by byte. 0: all of it is
 * there now; 1: something is not; 2: wrong usage.
 */
export async function copy(terminal: Terminal, which: string | undefined, options: CopyOptions): Promise<number> {
  let own = terminal;
  try {
    if (options.from === options.to) throw new UsageError("cli-copy-same", { storage: options.to });
    await using source = openPlace(terminal, { ...options, storage: [options.from] });
    await using target = openPlace(terminal, { ...options, storage: [options.to] });
    own = source.config ? source.terminal : target.terminal;
    const [from] = source.storages;
    const [to] = target.storages;
    if (!from) throw new UsageError("cli-copy-elsewhere", { storage: options.from });
    if (!to) throw new UsageError("cli-copy-elsewhere", { storage: options.to });
    return await copyIn(own, { from, to, which, host: source.host, json: options.json ?? false });
  } catch (error) {
    return reportError(error, own, options);
  }
}

async function copyIn(
  terminal: Terminal,
  order: {
    readonly from: Storage;
    readonly to: Storage;
    readonly which: string | undefined;
    readonly host: string;
    readonly json: boolean;
  },
): Promise<number> {
  const { messages, signal } = terminal;
  const { from, to, which, host, json } = order;
  const bar = new ProgressBar(terminal);
  const begun = Date.now();
  const observer: FillObserver = {
    begins: (backups, bytes) => {
      if (backups > 0) bar.phase(messages.plain("cli-copy-phase", { from: from.name, to: to.name }), bytes);
    },
    progress: (bytes) => bar.progress(bytes),
    copied: (folder, { parts }) => {
      bar.end();
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const said = { backup: folder.slice(0, -1), size: formatBytes(bytes, messages.locale) };
      if (!json) terminal.say("cli-copy-copied", said);
    },
    failed: (folder, error) => {
      bar.end();
      terminal.complain("cli-copy-failed", { backup: folder.slice(0, -1), reason: reasonText(error, messages) });
    },
  };
  try {
    const { copied, there, failed } = await fillStorage({ from, to, which, host, signal, observer });
    bar.end();
    const counts = { copied: copied.length, there: there.length, failed: failed.length };
    if (json) {
      const said = failed.map(({ folder, error }) => ({
        folder,
        code: error.code,
        message: reasonText(error, messages),
      }));
      terminal.out(JSON.stringify({ from: from.name, to: to.name, copied, there, failed: said }, undefined, 2));
    } else {
      const duration = formatDuration(Date.now() - begun, messages.locale);
      terminal.say("cli-copy-done", { ...counts, duration, to: to.name });
    }
    return failed.length === 0 ? exitCodes.ok : exitCodes.failed;
  } finally {
    bar.end();
  }
}
