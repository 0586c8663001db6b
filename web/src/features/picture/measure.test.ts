import { describe, expect, it } from "vitest";
import { cut, widthOf } from "./measure";

describe("words in a file", () => {
  it("are cut to the width that they have", () => {
    expect(cut("short", 100, 12)).toBe("short");
    for (const words of [
      "a-very-long-display-name-of-a-custom-job",
      "训练流水线的名称非常长以至于放不下",
      "WWWWWWWWWWWWWWWWWWWW",
    ]) {
      const shown = cut(words, 120, 13);
      expect(shown.endsWith("…")).toBe(true);
      expect(widthOf(shown, 13)).toBeLessThanOrEqual(120);
      expect(words.startsWith(shown.slice(0, -1))).toBe(true);
    }
  });

  it("take twice the room where letters are square", () => {
    expect(widthOf("中文", 10)).toBeGreaterThan(1.5 * widthOf("ab", 10));
  });
});
