// Instants: microseconds since 1970 as the console says them, RFC 3339 as the API does.
import { locale } from "~/i18n";

export type Micros = number;

/** An RFC 3339 time in microseconds; 0 when there is none. */
export function micros(text: string | undefined): Micros {
  return text ? Date.parse(text) * 1000 : 0;
}

export function nowMicros(): Micros {
  return Date.now() * 1000;
}

/** Date and time to the second. */
export function formatInstant(at: Micros): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(at / 1000);
}

/** The time of day, with milliseconds when asked. */
export function formatClock(at: Micros, fraction = false): string {
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(locale(), fraction ? { ...options, fractionalSecondDigits: 3 } : options).format(
    at / 1000,
  );
}

const STEPS: readonly [limit: number, per: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [30 * 86_400, 86_400, "day"],
  [365 * 86_400, 30 * 86_400, "month"],
  [Number.POSITIVE_INFINITY, 365 * 86_400, "year"],
];

/** How long ago, or in how long: what was said to last seven days ends in seven days, not six, a moment later. */
export function formatRelative(at: Micros, now: Micros): string {
  const seconds = (at - now) / 1e6;
  const [, per, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit) ?? STEPS[0] ?? [0, 1, "second" as const];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(
    seconds > 0 ? Math.round(seconds / per) : Math.trunc(seconds / per),
    unit,
  );
}
