/** One alert of the storm. Its name is in its title and nowhere else but in its labels. */
export interface BenchAlert {
  readonly name: string;
  readonly severity: "critical" | "warning" | "info";
}

/** A message as Alertmanager posts it. */
export interface BenchMessage {
  readonly alerts: readonly BenchAlert[];
  /** Milliseconds after the beginning. */
  readonly at: number;
  readonly body: string;
}

/** Every so many messages hold one alert each; the others are groups. */
const groupSize = 20;
const singlesBetween = 20;

/** `count` distinct alerts, every hundredth of them critical, and every tenth mere information. */
export function benchAlerts(count: number): BenchAlert[] {
  return Array.from({ length: count }, (_, index) => {
    const severity = index % 100 === 50 ? "critical" : index % 10 === 3 ? "info" : "warning";
    return { name: `alert-${String(index).padStart(5, "0")}`, severity };
  });
}

/** The alerts in groups of 20 and singly, in turn, spread evenly over `withinMs`. */
export function benchMessages(alerts: readonly BenchAlert[], withinMs: number): BenchMessage[] {
  const parts: BenchAlert[][] = [];
  for (let at = 0; at < alerts.length; ) {
    const single = parts.length % (singlesBetween + 1) !== 0;
    const size = single ? 1 : groupSize;
    parts.push(alerts.slice(at, at + size));
    at += size;
  }
  return parts.map((part, index) => ({
    alerts: part,
    at: (index * withinMs) / parts.length,
    body: alertmanagerBody(part),
  }));
}

/** What Alertmanager 0.25 posts for a group. */
export function alertmanagerBody(alerts: readonly BenchAlert[], labels: Readonly<Record<string, string>> = {}): string {
  const startsAt = new Date().toISOString();
  const one = ({ name, severity }: BenchAlert) => ({
    status: "firing",
    labels: { alertname: "BenchmarkAlert", instance: `${name}.example:9100`, job: "node", severity, ...labels },
    annotations: { summary: `${name} does not answer`, description: "The probe has failed 3 times in a row." },
    startsAt,
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0",
    fingerprint: Buffer.from(name).toString("hex"),
  });
  return JSON.stringify({
    version: "4",
    groupKey: '{}:{alertname="BenchmarkAlert"}',
    truncatedAlerts: 0,
    status: "firing",
    receiver: "vakhta",
    groupLabels: { alertname: "BenchmarkAlert" },
    commonLabels: { alertname: "BenchmarkAlert", job: "node" },
    commonAnnotations: {},
    externalURL: "http://alertmanager.example:9093",
    alerts: alerts.map(one),
  });
}

/** The names of benchmark alerts in a text. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(/\balert-\d{5}(?= does not answer)/g)].map(([name]) => name);
}
