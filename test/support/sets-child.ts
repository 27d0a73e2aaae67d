/** Looks for what sets name, as whatever user it runs as: see its test. */
import { toAppError } from "../../src/core/errors.ts";
import { TarListener } from "../../src/sources/files/listener.ts";
import { lookAtRoots } from "../../src/sources/files/look.ts";
import { expandPatterns } from "../../src/sources/files/sets.ts";

const [folder = ""] = process.argv.slice(2);
const expand = () => expandPatterns([`${folder}/{open,closed,hidden}/.env`, `${folder}/hidden/*`]);
const { signal } = new AbortController();
const look = async (unreadable: "fail" | "note") =>
  await lookAtRoots(
    {
      kind: "config",
      sets: ["env"],
      paths: [],
      exclude: [],
      oneFileSystem: false,
      followSymlinks: false,
      unreadable,
      level: 3,
    },
    signal,
    expand,
  );
const refused = await look("fail").catch((error: unknown) => toAppError(error).text);
const { paths, closed } = await look("note");
const { notes } = new TarListener(closed);
process.stdout.write(JSON.stringify({ expanded: expand(), refused, paths, notes }));
