import { toAppError } from "../../../core/errors.ts";
import type { RestoreGoal } from "../target.ts";

/** What a takeover asks of the live server, as it would be asked. */
const needed = ["CONFIG GET masterauth", "CONFIG SET masterauth x", "CLIENT LIST", "REPLICAOF NO ONE"];

/**
 * What of that is not to be had: renamed or taken away, as managed servers do, or not this user's. Servers before 7 do not
 * tell beforehand what a user may do: of them only what is missing altogether is found.
 */
export async function missingRights(goal: RestoreGoal): Promise<string[]> {
  const missing: string[] = [];
  for (const command of needed) {
    const isThere = (await answerTo(goal, `COMMAND INFO ${command.split(" ")[0]}`)) !== "";
    if (!isThere || !(await isAllowed(goal, command))) missing.push(shortOf(command));
  }
  return missing;
}

/** What only asks is asked. */
const harmless = /^(?:CONFIG GET|CLIENT LIST)/;

async function isAllowed(goal: RestoreGoal, command: string): Promise<boolean> {
  if (harmless.test(command)) return (await answerTo(goal, command)) !== undefined;
  const user = await answerTo(goal, "ACL WHOAMI");
  if (user === undefined || user === "") return true;
  const answer = await answerTo(goal, `ACL DRYRUN ${JSON.stringify(user)} ${command}`);
  return answer === undefined || answer === "OK";
}

/** The first line; undefined where the command is not known or not allowed, which says nothing of what it asks for. */
async function answerTo(goal: RestoreGoal, command: string): Promise<string | undefined> {
  try {
    return (await goal.ask([command]))[0]?.trim() ?? "";
  } catch (error) {
    if (toAppError(error).code === "source-unreachable") throw error;
    return undefined;
  }
}

/** Without what stands for a value. */
function shortOf(command: string): string {
  return command.replace(/ (?:masterauth.*|NO ONE)$/, "");
}
