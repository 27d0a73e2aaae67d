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
 * @typedef {object} Follower
 * @property {(state: SandboxState, newer: readonly SandboxEvent[]) => void} state `newer` is what has happened since, in
 *   its order; it was told by `event` before.
 * @property {(event: SandboxEvent) => void} event
 * @property {(connected: boolean) => void} connected
 */

/** The sandbox as it is: its state, and every event after it. */
export class Live {
  #on;
  /** Number of the newest event known. */
  #last = -1;
  /** Which connection this is: what was asked for over an earlier one is out of date. */
  #connection = 0;
  /** @type {{ seq: number, event: SandboxEvent }[] | undefined} Events that came while a state was on its way. */
  #meanwhile;
  #again = false;

  /** @param {Follower} on */
  constructor(on) {
    this.#on = on;
  }

  /**
   * Follows the sandbox: its state first, then every event, for as long as the page lives. After a break it loads the
   * state again (the break may have been longer than the server remembers) and then takes up the events where they ended,
   * so that answers to presses are not lost.
   * Reads the stream with `fetch`, since `EventSource` cannot begin at a given sequence number.
   * @returns {Promise<never>}
   */
  async follow() {
    let retry = FIRST_RETRY_MS;
    for (;;) {
      try {
        const state = await ask();
        this.#connection += 1;
        // A smaller number than ours means another life of the server: its events begin anew.
        if (this.#last < 0 || state.seq < this.#last) this.#last = state.seq;
        this.#on.state(state, []);
        const response = await fetch("/sandbox/events", {
          headers: { accept: "text/event-stream", "last-event-id": String(this.#last) },
        });
        if (!response.ok || !response.body) throw new Error(`the event stream answered ${response.status}`);
        this.#on.connected(true);
        retry = FIRST_RETRY_MS;
        for await (const { id, data } of readEvents(response.body)) this.#take(Number(id), JSON.parse(data));
      } catch {
        // Whatever broke, the remedy is the same: connect again.
      }
      this.#on.connected(false);
      await new Promise((resolve) => setTimeout(resolve, retry));
      retry = Math.min(retry * 2, LONGEST_RETRY_MS);
    }
  }

  /**
   * Loads the state once more, for what events only announce. The state is older than the events that come while it is
   * on its way: they are told beside it, or what they brought would be gone.
   */
  async reload() {
    this.#again = true;
    if (this.#meanwhile) return;
    while (this.#again) {
      this.#again = false;
      this.#meanwhile = [];
      const connection = this.#connection;
      try {
        const state = await ask();
        const newer = this.#meanwhile.filter(({ seq }) => seq > state.seq).map(({ event }) => event);
        if (connection === this.#connection) this.#on.state(state, newer);
      } catch {
        // The event stream breaks as well then, and loads the state when it is back.
      }
    }
    this.#meanwhile = undefined;
  }

  /**
   * @param {number} seq
   * @param {SandboxEvent} event
   */
  #take(seq, event) {
    this.#last = seq;
    this.#meanwhile?.push({ seq, event });
    this.#on.event(event);
  }
}

/** @returns {Promise<SandboxState>} */
const ask = async () => await call("GET", "/sandbox/state");

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
