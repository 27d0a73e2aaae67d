import type { Locale } from "./index.ts";

const sizeUnits = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes in decimal units with three significant digits: "25.6 MB", "1.06 GB". */
export function formatBytes(bytes: number, locale: Locale): string {
  let value = bytes;
  let index = 0;
  while (Math.round(value) >= 1000 && index < sizeUnits.length - 1) {
    value /= 1000;
    index++;
  }
  const options: Intl.NumberFormatOptions = {
    style: "unit",
    unit: sizeUnits[index] ?? "byte",
    maximumSignificantDigits: value >= 100 ? 4 : 3,
  };
  return new Intl.NumberFormat(locale, { ...options, ...(index === 0 ? { unitDisplay: "long" } : {}) }).format(
    index === 0 ? value : roundTo(value),
  );
}

function roundTo(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}

/** Bytes a second: "95 MB/s". */
export function formatRate(bytesPerSecond: number, locale: Locale): string {
  return `${formatBytes(bytesPerSecond, locale)}/${locale === "ru" ? "с" : "s"}`;
}

/** A duration in its two largest units: "0.8s", "1m 12s", "2h 5m", "3d 4h". Negative ones count as zero. */
export function formatDuration(ms: number, locale: Locale): string {
  const total = Math.max(0, ms);
  if (total < 10_000) {
    return new Intl.NumberFormat(locale, {
      style: "unit",
      unit: "second",
      unitDisplay: "narrow",
      maximumFractionDigits: 1,
    }).format(total / 1000);
  }
  const seconds = Math.round(total / 1000);
  const parts = {
    days: Math.floor(seconds / 86_400),
    hours: Math.floor(seconds / 3600) % 24,
    minutes: Math.floor(seconds / 60) % 60,
    seconds: seconds % 60,
  };
  const kept = Object.entries(parts)
    .filter(([, value]) => value > 0)
    .slice(0, 2);
  return durationFormats[locale].format(Object.fromEntries(kept));
}

const durationFormats: Readonly<Record<Locale, Intl.DurationFormat>> = {
  en: new Intl.DurationFormat("en", { style: "narrow" }),
  ru: new Intl.DurationFormat("ru", { style: "narrow" }),
};

/** A point in time in the configured zone: "20 Nov 2026, 03:00". */
export function formatTime(at: Date, locale: Locale, timezone: string): string {
  return timeFormat(locale, timezone).format(at);
}

/** From when to when: "20 Nov 2026, 03:00 – 03:12"; one point in time when they do not differ. */
export function formatSpan(from: Date, to: Date, locale: Locale, timezone: string): string {
  return timeFormat(locale, timezone).formatRange(from, to < from ? from : to);
}

function timeFormat(locale: Locale, timezone: string): Intl.DateTimeFormat {
  const key = `${locale} ${timezone}`;
  let format = timeFormats.get(key);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short", timeZone: timezone };
    format = new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, options);
    timeFormats.set(key, format);
  }
  return format;
}

/** Making one takes much longer than using it, and lists have thousands of times. */
const timeFormats = new Map<string, Intl.DateTimeFormat>();

/** A whole number with the language's grouping. */
export function formatCount(value: number, locale: Locale): string {
  return new Intl.NumberFormat(locale).format(value);
}
