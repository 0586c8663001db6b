import { describe, expect, it } from "vitest";
import { formatRelative } from "./times";

const DAY = 86_400e6;

describe("formatRelative", () => {
  it("says of what is to come the nearest number, of what was the whole ones that passed", () => {
    expect(formatRelative(7 * DAY - 3e6, 0)).toMatch(/7/);
    expect(formatRelative(0, 7 * DAY - 3e6)).toMatch(/6/);
  });
});
