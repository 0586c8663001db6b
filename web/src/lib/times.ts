// Instants: microseconds since 1970 as the console says them, RFC 3339 as the API does.
import { perLocale } from "./locale";

export type Micros = number;

/** An RFC 3339 time in microseconds; 0 when there is none. */
export function micros(text: string | undefined): Micros {
  return text ? Date.parse(text) * 1000 : 0;
}

export function nowMicros(): Micros {
  return Date.now() * 1000;
}

const instants = perLocale((to) => new Intl.DateTimeFormat(to, { dateStyle: "medium", timeStyle: "medium" }));

/** Date and time to the second. */
export function formatInstant(at: Micros): string {
  return instants().format(at / 1000);
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
const clocks = perLocale((to) => new Intl.DateTimeFormat(to, CLOCK));
const fineClocks = perLocale((to) => new Intl.DateTimeFormat(to, { ...CLOCK, fractionalSecondDigits: 3 }));

/** The time of day, with milliseconds when asked. */
export function formatClock(at: Micros, fraction = false): string {
  return (fraction ? fineClocks() : clocks()).format(at / 1000);
}

const STEPS: readonly [limit: number, per: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [30 * 86_400, 86_400, "day"],
  [365 * 86_400, 30 * 86_400, "month"],
  [Number.POSITIVE_INFINITY, 365 * 86_400, "year"],
];

const relatives = perLocale((to) => new Intl.RelativeTimeFormat(to, { numeric: "auto" }));

/** How long ago, or in how long: what was said to last seven days ends in seven days, not six, a moment later. */
export function formatRelative(at: Micros, now: Micros): string {
  const seconds = (at - now) / 1e6;
  const [, per, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit) ?? STEPS[0] ?? [0, 1, "second" as const];
  return relatives().format(seconds > 0 ? Math.round(seconds / per) : Math.trunc(seconds / per), unit);
}
