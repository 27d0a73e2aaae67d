import { setFlagsFromString } from "node:v8";

/** Of all processes of ours that go on running. What was compiled under others V8 rejects, and compiles it all anew. */
const flags = [
  // The heap's space for new objects stays as small as it starts: it would grow to 48 MB, and with it the used buffers
  // that wait for being collected, while a backup needs hardly any objects.
  "--semi-space-growth-factor=1",
  // The rest of the heap would grow to half as much again as it holds before it is collected: 6 MB less at the peak.
  "--memory-saver-mode",
];

/**
 * The compilers for code that runs often. The last two take 9 MB each, the first one another 5 MB at the peak, for
 * nothing: bytes are hashed, encrypted and sent by native code, compressed by another program.
 */
const compilers = ["sparkplug", "maglev", "opt"];

/** Rules and histories of so many servers are computed in the worker: then speed counts for more than memory. */
const manyServers = 50;

/** Keeps this process small. To be called before anything fills the heap; the start scripts also set its limit. */
export function saveMemory(): void {
  for (const flag of flags) setFlagsFromString(flag);
  for (const compiler of compilers) setFlagsFromString(`--no-${compiler}`);
}

/** The compilers again, for a worker that has to look after very many servers. */
export function compileFor(servers: number): void {
  if (servers < manyServers) return;
  for (const compiler of compilers) setFlagsFromString(`--${compiler}`);
}
