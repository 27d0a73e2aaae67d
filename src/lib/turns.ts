import { setImmediate } from "node:timers/promises";

/** So long one piece of work may hold everybody up; milliseconds. */
const sliceMs = 15;

/**
 * For a loop over thousands: called after each of them, it gives others their turn (a button, a webhook) whenever the
 * loop has held them up for a while.
 */
export function turns(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < sliceMs) return;
    await setImmediate();
    began = performance.now();
  };
}
