import type { Person } from "../../src/core/run.ts";
import type { Severity, Signal } from "../../src/core/signal.ts";

/** Somebody who presses buttons. */
export const operator: Person = { id: 222, name: "bob" };

/** A signal as Alertmanager's tell it; `name` is the fingerprint and the instance. */
export function signal(name: string, change: Partial<Signal> = {}): Signal {
  return {
    source: "alertmanager",
    fingerprint: name,
    status: "firing",
    severity: "warning",
    title: `${name} is down`,
    labels: { alertname: "Down", instance: name },
    ...change,
  };
}

/** `count` of them, of one severity: "<prefix>0" and so on. */
export function signals(
  prefix: string,
  count: number,
  severity: Severity = "warning",
  change: Partial<Signal> = {},
): Signal[] {
  return Array.from({ length: count }, (_, index) => signal(`${prefix}${index}`, { severity, ...change }));
}
