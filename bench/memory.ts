import { readFileSync } from "node:fs";

/** Peak resident memory; bytes. */
export interface PeakMemory {
  /** Of the process itself, by the kernel's own account (VmHWM). */
  readonly worker: number;
  /** Of each program that it started, by name: the highest that was seen. */
  readonly tools: Readonly<Record<string, number>>;
}

const sampleMs = 250;

/** Watches a process and the programs that it starts. Linux only. */
export class MemoryProbe {
  readonly #pid: number;
  readonly #tools = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), sampleMs);
    this.#timer.unref();
  }

  read(): PeakMemory {
    return { worker: status(this.#pid)?.peak ?? 0, tools: Object.fromEntries(this.#tools) };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    for (const pid of children(this.#pid)) {
      const seen = status(pid);
      // Between fork and exec a child still looks like its parent.
      if (seen === undefined || seen.name === "node" || seen.name === "MainThread") continue;
      this.#tools.set(seen.name, Math.max(seen.peak, this.#tools.get(seen.name) ?? 0));
    }
  }
}

function children(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter(Boolean).map(Number);
}

function status(pid: number): { name: string; peak: number } | undefined {
  const text = read(`/proc/${pid}/status`);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  const name = /^Name:\s+(.+)$/m.exec(text)?.[1];
  return peak === undefined || name === undefined ? undefined : { name, peak: Number(peak) * 1024 };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}
