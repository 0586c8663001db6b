// Numbers as people read them, in the language of the page.
import { perLocale } from "./locale";

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

const decimals = perLocale((to, digits: number) => new Intl.NumberFormat(to, { maximumFractionDigits: digits }));

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${decimals(digits).format(value)} ${SIZES[unit]}`;
}

const counts = perLocale((to) => new Intl.NumberFormat(to));

export function formatCount(count: number): string {
  return counts().format(count);
}

const numbers = perLocale((to, digits: number) => new Intl.NumberFormat(to, { maximumSignificantDigits: digits }));

export function formatNumber(value: number, digits = 3): string {
  return numbers(digits).format(value);
}

const lengths = perLocale(
  (to, unit: string, digits: number) =>
    new Intl.NumberFormat(to, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: digits }),
);

/** A length of time given in microseconds: 0.4 s, 12 s, 3 min 4 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(micros: number): string {
  const seconds = micros / 1e6;
  const number = (value: number, unit: string, digits = 0) => lengths(unit, digits).format(value);
  if (seconds < 10) return number(seconds, "second", 1);
  if (seconds < 60) return number(Math.floor(seconds), "second");
  if (seconds < 3600) return two(seconds, 60, "minute", "second", number);
  if (seconds < 86_400) return two(seconds / 60, 60, "hour", "minute", number);
  return two(seconds / 3600, 24, "day", "hour", number);
}

function two(
  small: number,
  per: number,
  big: string,
  little: string,
  number: (v: number, u: string) => string,
): string {
  const whole = Math.floor(small / per);
  const rest = Math.floor(small - whole * per);
  return rest ? `${number(whole, big)} ${number(rest, little)}` : number(whole, big);
}
