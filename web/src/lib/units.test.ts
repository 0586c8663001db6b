import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration } from "./units";

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1,023 B"],
    [1536, "1.5 KiB"],
    [200 * 1024 * 1024, "200 MiB"],
  ])("%d", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe("formatDuration", () => {
  it.each([
    [400_000, "0.4s"],
    [12_900_000, "12s"],
    [184_000_000, "3m 4s"],
    [2 * 3600e6 + 5 * 60e6, "2h 5m"],
    [3600e6, "1h"],
  ])("%d", (micros, text) => expect(formatDuration(micros)).toBe(text));
});
