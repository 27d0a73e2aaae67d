import type { ApiCall, SandboxEvent, TranscriptEntry } from "./api.ts";
import type { SandboxClock } from "./clock.ts";

/** An event with its place in the stream. */
export interface NumberedEvent {
  readonly seq: number;
  readonly event: SandboxEvent;
}

type Numbered<T> = T extends unknown ? Omit<T, "seq" | "at"> : never;

/** What happened: events for viewers, a transcript for people, calls for tests. Everything is numbered and only grows at the end. */
export class Journal {
  readonly #clock: SandboxClock;
  readonly #keep: number;
  readonly #events: NumberedEvent[] = [];
  readonly #transcript: TranscriptEntry[] = [];
  readonly #calls: ApiCall[] = [];
  readonly #eventListeners = new Set<(event: NumberedEvent) => void>();
  readonly #changeListeners = new Set<() => void>();
  #eventSeq = 0;
  #transcriptSeq = 0;
  #callSeq = 0;

  constructor(clock: SandboxClock, keep: number) {
    this.#clock = clock;
    this.#keep = keep;
  }

  /** Number of the newest event, 0 before the first. */
  get seq(): number {
    return this.#eventSeq;
  }

  emit(event: SandboxEvent): void {
    this.#eventSeq += 1;
    const numbered = { seq: this.#eventSeq, event };
    remember(this.#events, numbered, this.#keep);
    for (const listener of this.#eventListeners) listener(numbered);
    this.#changed();
  }

  write(entry: Numbered<TranscriptEntry>): void {
    this.#transcriptSeq += 1;
    remember(this.#transcript, { seq: this.#transcriptSeq, at: this.#clock.iso(), ...entry }, this.#keep);
    this.#changed();
  }

  call(call: Numbered<ApiCall>): void {
    this.#callSeq += 1;
    remember(this.#calls, { seq: this.#callSeq, at: this.#clock.iso(), ...call }, this.#keep);
    this.#changed();
  }

  eventsAfter(seq: number): NumberedEvent[] {
    return this.#events.filter((event) => event.seq > seq);
  }

  transcript(chatId?: number): TranscriptEntry[] {
    return chatId === undefined ? [...this.#transcript] : this.#transcript.filter((entry) => entry.chat_id === chatId);
  }

  calls(since = 0): ApiCall[] {
    return this.#calls.filter((call) => call.seq > since);
  }

  /** Calls `listener` with every new event; returns how to stop. */
  onEvent(listener: (event: NumberedEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Calls `listener` after anything was recorded; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Asks those who wait for a change to look again. */
  touch(): void {
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#changeListeners) listener();
  }
}

function remember<T>(list: T[], item: T, keep: number): void {
  list.push(item);
  if (list.length > keep * 1.25) list.splice(0, list.length - keep);
}
