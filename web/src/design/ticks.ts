// Where the axes of a plot are marked and how that is said: also for runs of a second, and where nothing happened. Pure.
import { locale } from "~/i18n";

/** What a value is: bytes go by powers of two, counts by whole numbers. */
export type Kind = "bytes" | "count" | "number";

const TENS = [1, 2, 5].flatMap((one) => Array.from({ length: 13 }, (_, i) => one * 10 ** i)).sort((a, b) => a - b);
const TWOS = Array.from({ length: 60 }, (_, i) => 2 ** i);
const PARTS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/** The distances that two marks may have; none that would give two marks the same words. */
export const STEPS: Record<Kind, number[]> = { bytes: TWOS, count: TENS, number: [...PARTS, ...TENS] };
/** The least that an axis reaches to, and where it ends when all values are zero. */
const LEAST: Record<Kind, readonly [least: number, idle: number]> = {
  bytes: [4, 1024],
  count: [2, 2],
  number: [0.01, 1],
};

/** Where the axis of values ends. */
export function topOf(kind: Kind, high: number): number {
  const [least, idle] = LEAST[kind];
  return high > 0 ? Math.max(least, high * 1.08) : idle;
}

/** Seconds that an axis of time shows at least. */
const SHORTEST = 2;
/** And around a lone value. */
const LONE = 10;

/** The seconds that the axis of time shows. */
export function spanOf(low: number, high: number): [number, number] {
  const least = high > low ? SHORTEST : LONE;
  const lacking = Math.max(0, least - (high - low)) / 2;
  return [low - lacking, high + lacking];
}

/** The times of marks that lie so many seconds apart, each with as much as tells it from the next. */
export function clockOf(seconds: readonly number[], apart: number): string[] {
  const digits = apart >= 1 ? 0 : Math.min(3, Math.ceil(-Math.log10(apart) - 1e-9));
  const clock = new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    ...(apart < 60 && { second: "2-digit" }),
    ...(digits && { fractionalSecondDigits: digits as 1 | 2 | 3 }),
    hourCycle: "h23",
  });
  // Half a millisecond more: a sum of fractions that ends just below its mark is not cut down to the one before.
  return seconds.map((one) => clock.format(one * 1000 + 0.5));
}
