/** A point in time for every reader: "2026-11-20 03:00" in the configured zone. */
export function stamp(at: Date, timezone: string): string {
  const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: timezone });
  return format.format(at);
}
