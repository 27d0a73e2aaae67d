import { connect } from "node:net";

/** One attempt of a client that connects, asks, and leaves. */
export interface Attempt {
  /** `performance.now()` when it began, and when it had its answer. */
  readonly began: number;
  readonly ended: number;
  /** What it was answered; undefined when it was refused or cut off. */
  readonly answer?: string;
}

/** A client of PostgreSQL that connects anew every `everyMs`, without a password, until it is stopped. */
export function hammer(
  to: { readonly port: number; readonly user: string; readonly database: string; readonly sql: string },
  everyMs: number,
): {
  /** In the order in which they began. */
  stop(): Promise<Attempt[]>;
  /** How many have had this answer so far. */
  answered(answer: string): number;
} {
  const attempts: Promise<Attempt>[] = [];
  const answers = new Map<string, number>();
  const timer = setInterval(() => {
    const trying = attempt(to);
    attempts.push(trying);
    void trying.then(({ answer }) => answer !== undefined && answers.set(answer, (answers.get(answer) ?? 0) + 1));
  }, everyMs);
  return {
    answered: (answer) => answers.get(answer) ?? 0,
    stop: () => {
      clearInterval(timer);
      return Promise.all(attempts);
    },
  };
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), head, body]);
}

/** The messages of a server, whole, as they come in. */
class Messages {
  #received = Buffer.alloc(0);

  *take(chunk: Buffer): Iterable<{ readonly type: string; readonly body: Buffer }> {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 5 && this.#received.length > this.#received.readInt32BE(1)) {
      const end = 1 + this.#received.readInt32BE(1);
      yield { type: this.#received.toString("latin1", 0, 1), body: this.#received.subarray(5, end) };
      this.#received = this.#received.subarray(end);
    }
  }
}

function attempt({ port, user, database, sql }: Parameters<typeof hammer>[0]): Promise<Attempt> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const messages = new Messages();
    // What is said whenever the server is ready.
    const saying = [message("Q", Buffer.from(`${sql}\0`)), message("X", Buffer.alloc(0))];
    let answer: string | undefined;
    socket.once("connect", () => {
      const version = Buffer.from([0, 3, 0, 0]);
      socket.write(message("", Buffer.concat([version, Buffer.from(`user\0${user}\0database\0${database}\0\0`)])));
    });
    socket.on("data", (chunk: Buffer) => {
      for (const { type, body } of messages.take(chunk)) {
        if (type === "E") socket.destroy();
        // A row of one column: the number of columns, the length, the text.
        if (type === "D") answer = body.toString("utf8", 6);
        if (type === "Z") socket.write(saying.shift() ?? Buffer.alloc(0));
      }
    });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve({ began, ended: performance.now(), ...(answer !== undefined && { answer }) }));
  });
}
