/** The way to the sandbox's server: requests, and its event stream kept open. */
/** @import { SandboxEvent, SandboxState } from "../api.ts" */

const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 5000;

/**
 * Calls the sandbox.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] Sent as JSON.
 * @returns {Promise<any>} The JSON that it answers.
 * @throws {Error} With one line for people, when it refuses or cannot be reached.
 */
export async function call(method, path, body) {
  const init =
    body === undefined
      ? { method }
      : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    throw new Error("The sandbox cannot be reached", { cause });
  }
  const answer = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  throw new Error(typeof answer?.error === "string" ? answer.error : `The sandbox answered ${response.status}`);
}

/**
 * Follows the sandbox: its state first, then every event, for as long as the page lives. After a break it loads the state
 * again (the break may have been longer than the server remembers) and then takes up the events where they ended, so that
 * answers to presses are not lost.
 * Reads the stream with `fetch`, since `EventSource` cannot begin at a given sequence number.
 * @param {object} on
 * @param {(state: SandboxState) => void} on.state
 * @param {(event: SandboxEvent) => void} on.event
 * @param {(connected: boolean) => void} on.connected
 * @returns {Promise<never>}
 */
export async function follow(on) {
  let last = -1;
  let retry = FIRST_RETRY_MS;
  for (;;) {
    try {
      /** @type {SandboxState} */
      const state = await call("GET", "/sandbox/state");
      // A smaller number than ours means another life of the server: its events begin anew.
      if (last < 0 || state.seq < last) last = state.seq;
      on.state(state);
      const response = await fetch("/sandbox/events", {
        headers: { accept: "text/event-stream", "last-event-id": String(last) },
      });
      if (!response.ok || !response.body) throw new Error(`the event stream answered ${response.status}`);
      on.connected(true);
      retry = FIRST_RETRY_MS;
      for await (const { id, data } of readEvents(response.body)) {
        if (id) last = Number(id);
        on.event(JSON.parse(data));
      }
    } catch {
      // Whatever broke, the remedy is the same: connect again.
    }
    on.connected(false);
    await new Promise((resolve) => setTimeout(resolve, retry));
    retry = Math.min(retry * 2, LONGEST_RETRY_MS);
  }
}

/**
 * Parses a stream of Server-Sent Events.
 * @param {ReadableStream<BufferSource>} body
 * @returns {AsyncGenerator<{ id: string, data: string }, void>}
 */
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n\r?\n/u);
    rest = lines.pop() ?? "";
    for (const block of lines) {
      const field = (/** @type {string} */ name) =>
        block
          .split(/\r?\n/u)
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /u, ""));
      const data = field("data").join("\n");
      if (data) yield { id: field("id").at(-1) ?? "", data };
    }
  }
}
