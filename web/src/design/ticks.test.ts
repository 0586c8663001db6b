import { describe, expect, it } from "vitest";
import { formatBytes, formatNumber } from "~/lib/units";
import { clockOf, STEPS, spanOf, topOf } from "./ticks";

/** Marks as a plot sets them: the smallest distance that leaves at most five of them. */
function marks(top: number, steps: readonly number[]): number[] {
  const step = steps.find((one) => top / one <= 5) ?? top;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}

describe("values", () => {
  it.each([0, 1, 3, 900, 1e6, 5e9])("bytes up to %d are told apart", (high) => {
    const words = marks(topOf("bytes", high), STEPS.bytes).map(formatBytes);
    expect(new Set(words).size).toBe(words.length);
    expect(words.length).toBeGreaterThan(2);
  });
  it.each([0, 1, 7, 120])("counts up to %d are whole and told apart", (high) => {
    const found = marks(topOf("count", high), STEPS.count);
    expect(found.every(Number.isInteger)).toBe(true);
    expect(found.length).toBeGreaterThan(2);
  });
  it.each([0, 0.002, 0.3, 14])("cores up to %d are told apart", (high) => {
    const words = marks(topOf("number", high), STEPS.number).map((one) => formatNumber(one));
    expect(new Set(words).size).toBe(words.length);
  });
});

describe("times", () => {
  it("shows two seconds at least, ten around a lone value", () => {
    expect(spanOf(100, 101)).toEqual([99.5, 101.5]);
    expect(spanOf(100, 100)).toEqual([95, 105]);
    expect(spanOf(100, 160)).toEqual([100, 160]);
  });
  it.each([0.05, 0.1, 0.2, 0.5, 1, 15, 60, 3600])("marks %d s apart are told apart", (apart) => {
    const words = clockOf(
      Array.from({ length: 6 }, (_, i) => 1_700_000_000 + i * apart),
      apart,
    );
    expect(new Set(words).size).toBe(6);
  });
  it("says no more than it takes", () => {
    expect(clockOf([0.2], 0.2)[0]).toMatch(/:00\.2$/);
    expect(clockOf([0], 60)[0]).toMatch(/^\d\d:\d\d$/);
  });
});
