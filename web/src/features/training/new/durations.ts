// Durations as people type them: 90, 90s, 30m, 2h, 1d. Pure.

const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** The seconds of a duration such as `90s` or `1h 30m`; undefined for what is none, and for nothing at all. */
export function secondsOf(text: string): number | undefined {
  const given = text.trim().toLowerCase();
  if (/^\d+$/.test(given)) return positive(Number(given));
  if (!/^(\d+\s*[dhms]\s*)+$/.test(given)) return undefined;
  return positive(
    [...given.matchAll(/(\d+)\s*([dhms])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS],
      0,
    ),
  );
}

/** The shortest that `secondsOf` reads back: `2h` for 7200. */
export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  const [unit = "s", size = 1] = Object.entries(UNITS).find(([, length]) => whole % length === 0) ?? [];
  return whole > 0 ? `${whole / size}${unit}` : "";
}

function positive(seconds: number): number | undefined {
  return seconds > 0 && Number.isSafeInteger(seconds) ? seconds : undefined;
}
