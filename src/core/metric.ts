/** What is measured of a server, and in which unit its value is given. */
export const metricUnits = {
  /** Of all processors together. */
  cpu: "percent",
  /** What programs hold: caches that can be given back do not count. */
  memory: "percent",
  swap: "percent",
  /** Of the fullest file system. */
  disk: "percent",
  /** What is left on the file system with the least room. */
  disk_free: "bytes",
  /** Of the file system with the fewest inodes left. */
  inodes: "percent",
  /** Over a minute. */
  load: "number",
  /** The same for each processor: 1 keeps all of them busy. */
  load_per_core: "number",
  network_in: "bytes-per-second",
  network_out: "bytes-per-second",
  disk_read: "bytes-per-second",
  disk_write: "bytes-per-second",
  /** Since the system has started. */
  uptime: "seconds",
} as const;

export type MetricName = keyof typeof metricUnits;
export type MetricUnit = (typeof metricUnits)[MetricName];

/** Every metric, in the order in which lists show them. */
export const metricNames = Object.keys(metricUnits) as readonly MetricName[];

/** Newest values, each in its unit; what a provider does not tell is absent. Never NaN, never infinite. */
export type MetricValues = Readonly<Partial<Record<MetricName, number>>>;

/** Whether a word is the name of a metric. */
export function isMetricName(word: string): word is MetricName {
  return Object.hasOwn(metricUnits, word);
}
