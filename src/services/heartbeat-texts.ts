import type { Config } from "../app/config.ts";
import type { Down, HeartbeatRule, HeartbeatState } from "../core/heartbeat.ts";
import type { Moment, Text } from "../core/text.ts";
import type { Attention } from "../state/heartbeats.ts";
import { stamp } from "./stamp.ts";

/** "0:05:12", "26:00:00": hours, minutes and seconds, the same for every reader. */
export function spell(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** How long a run took, and 1 when that is known: texts choose by numbers. */
function duration(ms: number | undefined): { took: string; timed: number } {
  return ms === undefined ? { took: "", timed: 0 } : { took: spell(ms), timed: 1 };
}

/** What an incident says about a heartbeat that is missed. */
export function describeDown(
  name: string,
  { grace }: HeartbeatRule,
  state: HeartbeatState,
  down: Down,
  { awayFrom, backSince }: Attention,
  { timezone }: Pick<Config, "timezone">,
): { title: Text; text: Text } {
  const at = (ms: number): Moment => stamp(new Date(ms), timezone);
  const output = { output: state.output ?? "", lines: state.output ? 1 : 0 };
  if (down.reason === "failed") {
    const title: Text = { key: "heartbeat-failed", args: { name } };
    const args = { at: at(down.since), ...output, ...duration(down.tookMs) };
    if (down.exit !== undefined)
      return { title, text: { key: "heartbeat-text-exit", args: { ...args, status: down.exit } } };
    return { title, text: { key: "heartbeat-text-failed", args } };
  }
  if (down.reason === "unfinished") {
    const { took, timed } = duration(state.tookMs);
    const args = { start: at(down.start), grace: spell(grace), usual: took, known: timed, ...output };
    return { title: { key: "heartbeat-unfinished", args: { name } }, text: { key: "heartbeat-text-unfinished", args } };
  }
  const title: Text = { key: "heartbeat-late", args: { name } };
  // Away at the time when the sign was due.
  const wasAway = awayFrom !== undefined && backSince !== undefined && backSince > down.due;
  const args = {
    due: at(down.due),
    last: down.last === undefined ? "" : at(down.last),
    seen: down.last === undefined ? 0 : 1,
    away: wasAway ? 1 : 0,
    from: wasAway ? at(awayFrom) : "",
    until: wasAway ? at(backSince) : "",
  };
  return { title, text: { key: "heartbeat-text-late", args } };
}

/** What the end of an incident says. */
export function describeBack(state: HeartbeatState): Text {
  return { key: "heartbeat-back", args: duration(state.tookMs) };
}
