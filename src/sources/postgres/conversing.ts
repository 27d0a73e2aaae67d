import { AppError } from "../../core/errors.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "./session.ts";
import type { Site } from "./site.ts";

/** A session in one database. */
interface Line {
  readonly url: string;
  readonly session: PsqlSession;
  readonly stop: AbortController;
}

/**
 * A site whose questions in one database after another share a connection: a dozen of them, each with a program and a
 * connection of its own, would take three times as long. Never more than one connection at a time, as without it. A question
 * that fails ends its session; what a question sets holds for those after it. `withinMs`: for one question, as `ask` has it.
 */
export function conversing(site: Site, withinMs = 60_000): Site & AsyncDisposable {
  let line: Line | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    const ending = line;
    line = undefined;
    await ending?.session.close();
  };
  const reach = async (url: string): Promise<Line> => {
    if (line?.url === url) return line;
    await close();
    const stop = new AbortController();
    const command = site.psql([...psqlArgs, "-d", withUtf8(url)]);
    const session = new PsqlSession(command, AbortSignal.any([site.signal, stop.signal]));
    line = { url, session, stop };
    return line;
  };
  const answer = async (sql: string, url: string): Promise<string[]> => {
    const isNew = line?.url !== url;
    const { session, stop } = await reach(url);
    const late = new AppError("timeout", "the server has not answered in time", { permanent: false });
    const timer = setTimeout(() => stop.abort(late), withinMs);
    try {
      return await session.query(isNew ? `\\set VERBOSITY terse\n${unhurried};\n${sql}` : sql);
    } catch (error) {
      await close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
  const ask = async (sql: string, database?: string): Promise<string[]> => {
    const url = site.url(database);
    const asked = last.then(() => answer(sql, url));
    last = asked.catch(() => undefined);
    return await asked;
  };
  return {
    ...site,
    ask,
    [Symbol.asyncDispose]: async () => {
      await last;
      await close();
    },
  };
}
